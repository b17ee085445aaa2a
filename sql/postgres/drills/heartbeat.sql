-- The witness of what a loss costs: one row, written again and again; what is read back after a restore was not lost.
-- An operator may keep one in a database of his own: then a drill reads that one back, and measures the true RPO.

-- name: database
CREATE DATABASE dbwatch_heartbeat TEMPLATE template0;

-- name: table
CREATE SCHEMA IF NOT EXISTS dbwatch;
CREATE TABLE IF NOT EXISTS dbwatch.heartbeat (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, beat_at timestamptz NOT NULL);

-- name: beat
INSERT INTO dbwatch.heartbeat (beat_at) VALUES (clock_timestamp());

-- name: beats
SELECT count(*), extract(epoch FROM max(beat_at))::float8 FROM dbwatch.heartbeat;

-- name: last
SELECT extract(epoch FROM max(beat_at))::float8 FROM dbwatch.heartbeat;

-- name: last_of_source
SELECT extract(epoch FROM max(beat_at))::float8 FROM dbwatch.heartbeat;
