/* ---
description: What client sessions hold together - memory, and from how many hosts they come.
interval: 60s
max_series: 2
needs: [process, performance_schema]
metrics:
  dbwatch_mysql_sessions_memory_bytes: {value: memory_bytes}
  dbwatch_mysql_client_hosts: {value: hosts}
--- */
-- @when mariadb
-- A host comes with its port, and an address of IPv6 is made of colons.
SELECT COALESCE(SUM(p.memory_used), 0) AS memory_bytes, COUNT(DISTINCT REGEXP_REPLACE(p.host, ':[0-9]+$', '')) AS hosts
FROM information_schema.processlist AS p
WHERE p.command NOT IN ('Daemon', 'Binlog Dump', 'Slave_IO', 'Slave_SQL', 'Slave_worker')
  AND p.user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
-- @when mysql >= 8.1 and setting performance_schema = ON
SELECT COALESCE(SUM(t.total_memory), 0) AS memory_bytes, COUNT(DISTINCT t.processlist_host) AS hosts
FROM performance_schema.threads AS t
WHERE t.processlist_command NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')
  AND t.processlist_user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
-- @when mysql < 8.1 and setting performance_schema = ON
-- Not all of them count a session's memory.
SELECT NULL AS memory_bytes, COUNT(DISTINCT t.processlist_host) AS hosts
FROM performance_schema.threads AS t
WHERE t.processlist_command NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')
  AND t.processlist_user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
