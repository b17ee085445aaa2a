-- What was loaded without care for power cuts, because that is faster, is kept with care from now on. Each statement
-- stands alone: ALTER SYSTEM runs in no transaction.

-- name: fsync
ALTER SYSTEM SET fsync = on;

-- name: full_page_writes
ALTER SYSTEM SET full_page_writes = on;

-- name: synchronous_commit
ALTER SYSTEM SET synchronous_commit = on;

-- name: reload
SELECT pg_reload_conf();
