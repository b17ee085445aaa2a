-- The witness of what a loss costs: one row, written again and again; what is read back after a restore was not lost.

-- name: database
CREATE DATABASE dbwatch_heartbeat;

-- name: table
CREATE TABLE dbwatch_heartbeat.heartbeat (id bigint AUTO_INCREMENT PRIMARY KEY, beat_at timestamp(6) NOT NULL) ENGINE = InnoDB;

-- name: beat
INSERT INTO dbwatch_heartbeat.heartbeat (beat_at) VALUES (now(6));

-- name: beats
SELECT count(*), CAST(unix_timestamp(max(beat_at)) AS double) FROM dbwatch_heartbeat.heartbeat;

-- name: last
SELECT CAST(unix_timestamp(max(beat_at)) AS double) FROM dbwatch_heartbeat.heartbeat;

-- name: last_of_source
SELECT CAST(unix_timestamp(max(beat_at)) AS double) FROM dbwatch.heartbeat;
