-- What jobs must know after a restart. Times are Unix seconds; bodies are JSON.

-- Runs, in the order in which they began whatever the clock said. A run that is `running` when dbwatch starts was left
-- by one that died: its application name, its unfinished set and its processes tell what to end and to remove.
CREATE TABLE job_runs (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE CHECK (id <> ''),
    kind        TEXT NOT NULL,
    instance    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled', 'orphaned')),
    started_at  REAL NOT NULL,
    ended_at    REAL,
    seconds     REAL,
    reason      TEXT NOT NULL DEFAULT '',
    detail      TEXT NOT NULL DEFAULT '',
    phase       TEXT NOT NULL DEFAULT '',
    backup      TEXT NOT NULL DEFAULT '',
    asked_by    TEXT NOT NULL DEFAULT '',
    phases      TEXT NOT NULL DEFAULT '[]',
    application TEXT NOT NULL DEFAULT '',
    partial     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX job_runs_of ON job_runs (kind, instance, number);
CREATE INDEX job_runs_open ON job_runs (number) WHERE state = 'running';

-- How often runs ended how, ever: outlives the runs themselves.
CREATE TABLE job_counts (
    kind     TEXT NOT NULL,
    instance TEXT NOT NULL,
    state    TEXT NOT NULL,
    reason   TEXT NOT NULL,
    runs     INTEGER NOT NULL,
    PRIMARY KEY (kind, instance, state, reason)
) STRICT, WITHOUT ROWID;

-- Processes of running jobs, each the leader of a group of its own. Its start, in ticks since that boot of the machine,
-- makes sure that it is still the same: numbers of processes are given again.
CREATE TABLE job_processes (
    run           TEXT NOT NULL,
    pid           INTEGER NOT NULL,
    started_ticks INTEGER NOT NULL,
    boot_id       TEXT NOT NULL,
    program       TEXT NOT NULL,
    PRIMARY KEY (run, pid, started_ticks)
) STRICT, WITHOUT ROWID;

-- Backups that stand in the repository, as their manifests said when they were published; tables and files of a set are
-- summed up in `manifest`, which is empty where it could not be read. The repository can give all of this again, but
-- `checksum`: that is how an edited manifest is found out.
CREATE TABLE backup_sets (
    instance   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    started_at REAL NOT NULL,
    manifest   TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    level      INTEGER NOT NULL,
    pinned     INTEGER NOT NULL DEFAULT 0,
    problem    TEXT NOT NULL DEFAULT '',
    trashed_at REAL,
    PRIMARY KEY (instance, kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE backup_proofs (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL,
    kind     TEXT NOT NULL,
    backup   TEXT NOT NULL,
    proof    TEXT NOT NULL,
    FOREIGN KEY (instance, kind, backup) REFERENCES backup_sets (instance, kind, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX backup_proofs_of ON backup_proofs (instance, kind, backup, number);

-- The largest number that a set ever had: none is given twice.
CREATE TABLE backup_sequences (
    instance TEXT NOT NULL,
    kind     TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (instance, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE drills (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    scenario TEXT NOT NULL,
    instance TEXT NOT NULL,
    ended_at REAL NOT NULL,
    result   TEXT NOT NULL,
    report   TEXT NOT NULL
) STRICT;
CREATE INDEX drills_of ON drills (scenario, instance, number);

-- One row: when the clock was last looked at, the latest that it ever told, and its last jump.
CREATE TABLE clock (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    seen_at      REAL NOT NULL,
    latest_at    REAL NOT NULL,
    jumped_at    REAL,
    jump_seconds REAL NOT NULL
) STRICT;
