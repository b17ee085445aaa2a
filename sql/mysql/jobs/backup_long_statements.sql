/* ---
description: Statements that a global lock would wait for, and with it every write after it.
timeout: 5s
--- */
-- MariaDB's lock waits for writes and definitions only, MySQL's for reading too.
-- @when mariadb
SELECT COUNT(*) AS statements
FROM information_schema.processlist AS p
WHERE p.id <> CONNECTION_ID()
  AND p.command IN ('Query', 'Execute')
  AND p.time_ms >= 1000
  AND p.info NOT LIKE 'SELECT%'
  AND p.info NOT LIKE '/*%*/ SELECT%'
  AND p.info NOT LIKE 'DO %'
  AND p.info NOT LIKE 'SHOW %'
-- @when not mariadb
SELECT COUNT(*) AS statements
FROM performance_schema.processlist AS p
WHERE p.id <> CONNECTION_ID()
  AND p.command IN ('Query', 'Execute')
  AND p.time >= 1
  AND p.info NOT LIKE 'DO %'
