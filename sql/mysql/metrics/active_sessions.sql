/* ---
description: Sessions at work, by what they wait for, once a second.
lane: sampler
interval: 1s
timeout: 500ms
max_series: 8
needs: [process, performance_schema]
metrics:
  dbwatch_active_session_seconds_total: {value: sessions, labels: {wait_class: wait_class}, integrate: true}
--- */
-- From the process list's STATE: MySQL's wait instruments are off by default, MariaDB's performance_schema wholly.
-- A wait for a row lock has no state of its own: it is told by InnoDB.
-- @when mariadb
-- Not by innodb_trx here: with it MariaDB collects every pair of waiter and blocker, under the lock system's latch. The
-- number of those who wait is enough: that many sessions, at work by their state, are counted as lock instead of cpu.
WITH working AS (
    SELECT CASE
        WHEN p.state LIKE 'Waiting for query cache%' OR p.state LIKE 'Waiting for%mutex%' THEN 'lwlock'
        WHEN p.state LIKE 'Waiting for%lock' OR p.state IN ('User lock', 'Waiting for table flush') THEN 'lock'
        WHEN p.state IN ('Commit', 'Writing to binlog', 'Opening tables', 'closing tables', 'copy to tmp table',
                         'Copying to tmp table on disk', 'converting HEAP to Aria', 'Creating index', 'altering table',
                         'creating table', 'Reading file', 'Saving state', 'Repair by sorting') THEN 'io'
        WHEN p.state IN ('Reading from net', 'Writing to net', 'Sending to client', 'login') THEN 'client'
        WHEN p.state LIKE 'Waiting for%commit' OR p.state LIKE 'Waiting for semi-sync%' THEN 'ipc'
        WHEN p.state = 'User sleep' THEN 'timeout'
        WHEN p.state LIKE 'Waiting%' THEN 'other'
        ELSE 'cpu' END AS wait_class
    FROM information_schema.processlist AS p
    WHERE p.command IN ('Query', 'Execute', 'Fetch', 'Long Data', 'Prepare')
      AND p.user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
)
SELECT c.wait_class,
       CASE c.wait_class WHEN 'lock' THEN COUNT(w.wait_class) + MAX(m.count)
                         WHEN 'cpu' THEN GREATEST(0, COUNT(w.wait_class) - MAX(m.count))
                         ELSE COUNT(w.wait_class) END AS sessions
FROM (
    SELECT 'cpu' AS wait_class UNION ALL SELECT 'io' UNION ALL SELECT 'lock' UNION ALL SELECT 'lwlock'
    UNION ALL SELECT 'client' UNION ALL SELECT 'ipc' UNION ALL SELECT 'timeout' UNION ALL SELECT 'other'
) AS c
LEFT JOIN working AS w ON w.wait_class = c.wait_class
CROSS JOIN information_schema.innodb_metrics AS m
WHERE m.name = 'lock_row_lock_current_waits'
GROUP BY c.wait_class
-- @when not mariadb and setting performance_schema = ON
WITH working AS (
    SELECT CASE
        WHEN t.trx_mysql_thread_id IS NOT NULL
          OR p.state LIKE 'Waiting for%lock' OR p.state IN ('User lock', 'Waiting for table flush') THEN 'lock'
        WHEN p.state LIKE 'Waiting for%mutex%' THEN 'lwlock'
        WHEN p.state IN ('waiting for handler commit', 'Opening tables', 'closing tables', 'copy to tmp table',
                         'converting HEAP to ondisk', 'altering table', 'creating table', 'query end') THEN 'io'
        WHEN p.state IN ('Reading from net', 'Writing to net', 'Sending to client', 'login') THEN 'client'
        WHEN p.state LIKE 'Waiting for semi-sync%' OR p.state LIKE 'Waiting for%commit%' THEN 'ipc'
        WHEN p.state = 'User sleep' THEN 'timeout'
        WHEN p.state LIKE 'Waiting%' THEN 'other'
        ELSE 'cpu' END AS wait_class
    FROM performance_schema.processlist AS p
    LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id AND t.trx_state = 'LOCK WAIT'
    WHERE p.command IN ('Query', 'Execute', 'Fetch', 'Long Data', 'Prepare')
      AND p.user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
)
SELECT c.wait_class, COUNT(w.wait_class) AS sessions
FROM (
    SELECT 'cpu' AS wait_class UNION ALL SELECT 'io' UNION ALL SELECT 'lock' UNION ALL SELECT 'lwlock'
    UNION ALL SELECT 'client' UNION ALL SELECT 'ipc' UNION ALL SELECT 'timeout' UNION ALL SELECT 'other'
) AS c
LEFT JOIN working AS w ON w.wait_class = c.wait_class
GROUP BY c.wait_class
