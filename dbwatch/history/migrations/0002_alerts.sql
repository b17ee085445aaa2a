-- What alerting must know after a restart. Times are Unix seconds; bodies are JSON.
CREATE TABLE alerts (
    fingerprint TEXT PRIMARY KEY,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'firing', 'resolved')),
    body        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What happened, for people: bounded by age and by number.
CREATE TABLE alert_events (
    id          INTEGER PRIMARY KEY,
    at          REAL NOT NULL,
    kind        TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    db_instance TEXT NOT NULL,
    labels      TEXT NOT NULL,
    value       REAL,
    summary     TEXT NOT NULL DEFAULT '',
    who         TEXT NOT NULL DEFAULT '',
    comment     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX alert_events_at ON alert_events (at);

-- One row each: what recipients were told (memory), and when the rules were last looked at (looked_at).
CREATE TABLE alerting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE acknowledgements (
    fingerprint TEXT PRIMARY KEY,
    at          REAL NOT NULL,
    who         TEXT NOT NULL DEFAULT '',
    comment     TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE silences (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- a number that was given is never given again
    labels    TEXT NOT NULL,
    starts_at REAL NOT NULL,
    ends_at   REAL NOT NULL CHECK (ends_at >= starts_at),
    who       TEXT NOT NULL DEFAULT '',
    comment   TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX silences_ends_at ON silences (ends_at);

-- Letters on their way: recipients are those who still wait for it; letter is what it says, to merge it with a newer
-- one; message is what is sent, byte for byte the same at each attempt. Both are emptied once nobody needs them.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    thread     TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    recipients TEXT NOT NULL,
    letter     TEXT NOT NULL,
    message    BLOB NOT NULL,
    state      TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'dead', 'superseded')),
    is_touched INTEGER NOT NULL DEFAULT 0, -- it may have reached somebody: it is not merged any more
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    REAL NOT NULL,
    created_at REAL NOT NULL,
    ended_at   REAL,
    last_error TEXT NOT NULL DEFAULT '',
    relay      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_open ON outbox (next_at) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_queue ON outbox (id) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_oldest ON outbox (created_at) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_thread ON outbox (thread, id) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_state ON outbox (state, ended_at);
