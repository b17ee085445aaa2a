/* ---
description: Queries over their time, the oldest open InnoDB transactions, and the longest idleness within one.
interval: 10s
max_series: 7
needs: [process, performance_schema]
metrics:
  dbwatch_queries_running_over:
    - {value: over_10, labels: {threshold_seconds: "=10"}}
    - {value: over_60, labels: {threshold_seconds: "=60"}}
    - {value: over_300, labels: {threshold_seconds: "=300"}}
    - {value: over_3600, labels: {threshold_seconds: "=3600"}}
  dbwatch_longest_transaction_seconds:
    - {value: longest_active_seconds, labels: {state: =active}}
    - {value: longest_idle_seconds, labels: {state: =idle}}
  dbwatch_longest_idle_in_transaction_seconds: {value: longest_idleness_seconds}
--- */
-- UNIX_TIMESTAMP: a difference of local times would be an hour wrong on the day the clocks change.
-- @when mariadb
SELECT COALESCE(SUM(s.running AND s.seconds > 10), 0) AS over_10,
       COALESCE(SUM(s.running AND s.seconds > 60), 0) AS over_60,
       COALESCE(SUM(s.running AND s.seconds > 300), 0) AS over_300,
       COALESCE(SUM(s.running AND s.seconds > 3600), 0) AS over_3600,
       COALESCE(MAX(IF(s.running, s.transaction_seconds, NULL)), 0) AS longest_active_seconds,
       COALESCE(MAX(IF(s.running, NULL, s.transaction_seconds)), 0) AS longest_idle_seconds,
       COALESCE(MAX(s.idle_seconds), 0) AS longest_idleness_seconds
FROM (
    SELECT p.command IN ('Query', 'Execute') AS running,
           p.time AS seconds,
           GREATEST(0, UNIX_TIMESTAMP() - UNIX_TIMESTAMP(t.trx_started)) AS transaction_seconds,
           IF(p.command = 'Sleep' AND t.trx_id IS NOT NULL, GREATEST(0, p.time_ms / 1000), NULL) AS idle_seconds
    FROM information_schema.processlist AS p
    LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
    WHERE p.command NOT IN ('Daemon', 'Binlog Dump', 'Slave_IO', 'Slave_SQL', 'Slave_worker')
      AND p.user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
) AS s
-- @when not mariadb and setting performance_schema = ON
SELECT COALESCE(SUM(s.running AND s.seconds > 10), 0) AS over_10,
       COALESCE(SUM(s.running AND s.seconds > 60), 0) AS over_60,
       COALESCE(SUM(s.running AND s.seconds > 300), 0) AS over_300,
       COALESCE(SUM(s.running AND s.seconds > 3600), 0) AS over_3600,
       COALESCE(MAX(IF(s.running, s.transaction_seconds, NULL)), 0) AS longest_active_seconds,
       COALESCE(MAX(IF(s.running, NULL, s.transaction_seconds)), 0) AS longest_idle_seconds,
       COALESCE(MAX(s.idle_seconds), 0) AS longest_idleness_seconds
FROM (
    SELECT p.command IN ('Query', 'Execute') AS running,
           p.time AS seconds,
           GREATEST(0, UNIX_TIMESTAMP() - UNIX_TIMESTAMP(t.trx_started)) AS transaction_seconds,
           -- MySQL's TIME counts on from where the last statement began. Its end is told by the timer that our own statement,
           -- which has none yet, shows the present of. Both are NULL where nobody keeps the current statements.
           IF(p.command = 'Sleep' AND t.trx_id IS NOT NULL, COALESCE((
               SELECT GREATEST(0, MAX(o.timer_end) / 1e12 - MAX(e.timer_end) / 1e12)
               FROM performance_schema.events_statements_current AS e
               CROSS JOIN performance_schema.events_statements_current AS o
               WHERE e.thread_id = PS_THREAD_ID(p.id) AND e.nesting_event_level = 0
                 AND o.thread_id = PS_CURRENT_THREAD_ID() AND o.nesting_event_level = 0
           ), p.time), NULL) AS idle_seconds
    FROM performance_schema.processlist AS p
    LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
    WHERE p.command NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')
      AND p.user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
) AS s
