/* ---
description: What the sessions of a dump do, and who waits for a lock. Their text is looked at, and neither kept nor shown.
timeout: 5s
--- */
-- @when mariadb
SELECT p.id AS id,
       COALESCE(p.db, '') AS db,
       COALESCE(p.state, '') AS state,
       p.time_ms / 1000 AS seconds,
       COALESCE(p.info, '') AS info
FROM information_schema.processlist AS p
WHERE p.id IN ({ids})
   OR p.state LIKE 'Waiting for %lock'
-- @when not mariadb
SELECT p.id AS id,
       COALESCE(p.db, '') AS db,
       COALESCE(p.state, '') AS state,
       p.time AS seconds,
       COALESCE(p.info, '') AS info
FROM performance_schema.processlist AS p
WHERE p.id IN ({ids})
   OR p.state LIKE 'Waiting for %lock'
