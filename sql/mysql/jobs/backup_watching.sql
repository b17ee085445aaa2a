/* ---
description: What the sessions of a dump do, and who waits for a lock. Their text is looked at, and neither kept nor shown.
timeout: 5s
--- */
-- The time of a replica's thread is how late it is, of the scheduler of events how long it has run.
-- @when mariadb
SELECT p.id AS id,
       COALESCE(p.db, '') AS db,
       COALESCE(p.state, '') AS state,
       p.time_ms / 1000 AS seconds,
       COALESCE(p.info, '') AS info,
       COALESCE(p.user IN ('event_scheduler', 'system user'), 0) AS is_servers
FROM information_schema.processlist AS p
WHERE p.id IN ({ids})
   OR p.state LIKE 'Waiting for %lock'
   OR p.state = 'Waiting for table flush'
-- @when not mariadb
SELECT p.id AS id,
       COALESCE(p.db, '') AS db,
       COALESCE(p.state, '') AS state,
       p.time AS seconds,
       COALESCE(p.info, '') AS info,
       COALESCE(p.user IN ('event_scheduler', 'system user'), 0) AS is_servers
FROM performance_schema.processlist AS p
WHERE p.id IN ({ids})
   OR p.state LIKE 'Waiting for %lock'
   OR p.state = 'Waiting for table flush'
