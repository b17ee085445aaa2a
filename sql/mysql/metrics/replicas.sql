/* ---
description: Replicas that read this server's binary log now.
interval: 15s
max_series: 1
needs: [process, performance_schema]
metrics:
  dbwatch_mysql_replicas_connected: {value: replicas}
--- */
-- The list of replicas (SHOW REPLICAS) would need REPLICATION SLAVE: the right to read every change of every table.
-- @when mariadb
SELECT COUNT(*) AS replicas
FROM information_schema.processlist AS p
WHERE p.command LIKE 'Binlog Dump%'
-- @when not mariadb and setting performance_schema = ON
SELECT COUNT(*) AS replicas
FROM performance_schema.processlist AS p
WHERE p.command LIKE 'Binlog Dump%'
