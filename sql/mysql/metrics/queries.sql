/* ---
description: The oldest running query of each database in use.
interval: 10s
needs: [process, performance_schema]
metrics:
  dbwatch_longest_query_seconds: {value: longest_seconds, labels: {database: database}}
--- */
-- Our own session without a database is counted as nothing running: so the answer is never empty.
-- @when mariadb
SELECT IF(p.user = SUBSTRING_INDEX(USER(), '@', 1), '', COALESCE(p.db, '')) AS `database`,
       MAX(IF(p.command IN ('Query', 'Execute') AND p.user <> SUBSTRING_INDEX(USER(), '@', 1), p.time_ms / 1000, 0))
           AS longest_seconds
FROM information_schema.processlist AS p
WHERE p.command NOT IN ('Daemon', 'Binlog Dump', 'Slave_IO', 'Slave_SQL', 'Slave_worker')
  AND p.user NOT IN ('system user', 'event_scheduler')
GROUP BY 1
-- @when not mariadb and setting performance_schema = ON
SELECT IF(p.user = SUBSTRING_INDEX(USER(), '@', 1), '', COALESCE(p.db, '')) AS `database`,
       MAX(IF(p.command IN ('Query', 'Execute') AND p.user <> SUBSTRING_INDEX(USER(), '@', 1), p.time, 0))
           AS longest_seconds
FROM performance_schema.processlist AS p
WHERE p.command NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')
  AND p.user NOT IN ('system user', 'event_scheduler')
GROUP BY 1
