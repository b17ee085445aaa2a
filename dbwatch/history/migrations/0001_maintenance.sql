-- Times are Unix seconds; a window without an end is open until it is stopped.
CREATE TABLE maintenance (
    id        INTEGER PRIMARY KEY,
    instance  TEXT NOT NULL CHECK (instance <> ''),
    starts_at REAL NOT NULL,
    ends_at   REAL CHECK (ends_at IS NULL OR ends_at >= starts_at),
    reason    TEXT NOT NULL DEFAULT '',
    who       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX maintenance_open ON maintenance (instance, ends_at);
