/* ---
description: On a replica, transactions on their way - received, applied, tried again; the workers; heartbeats.
interval: 15s
max_series: 150
needs: [performance_schema]
metrics:
  dbwatch_replication_last_applied_timestamp_seconds: {value: applied_at, labels: {channel: channel}}
  dbwatch_mysql_replication_last_queued_timestamp_seconds: {value: queued_at, labels: {channel: channel}}
  dbwatch_mysql_replication_applying_timestamp_seconds: {value: applying_at, labels: {channel: channel}}
  dbwatch_mysql_replication_last_error_timestamp_seconds:
    - {value: io_error_at, labels: {channel: channel, thread: =io}}
    - {value: sql_error_at, labels: {channel: channel, thread: =sql}}
  dbwatch_mysql_replication_heartbeats_total: {value: heartbeats, labels: {channel: channel}}
  dbwatch_mysql_replication_last_heartbeat_timestamp_seconds: {value: heartbeat_at, labels: {channel: channel}}
  dbwatch_mysql_replication_retries_total: {value: retries, labels: {channel: channel}}
  dbwatch_mysql_replication_workers:
    - {value: workers_applying, labels: {channel: channel, state: =applying}}
    - {value: workers_idle, labels: {channel: channel, state: =idle}}
    - {value: workers_stopped, labels: {channel: channel, state: =stopped}}
--- */
-- MariaDB tells only the first of them, and none before 11.8. It moves when a transaction is applied, not when it is read
-- (measured, with parallel workers too), and is NULL until the first one since the start.
-- @when mariadb >= 11.8 and probe replication
SELECT s.connection_name AS channel, UNIX_TIMESTAMP(s.slave_last_event_time) AS applied_at,
       NULL AS queued_at, NULL AS applying_at, NULL AS io_error_at, NULL AS sql_error_at, NULL AS heartbeats,
       NULL AS heartbeat_at, NULL AS retries, NULL AS workers_applying, NULL AS workers_idle, NULL AS workers_stopped
FROM information_schema.slave_status AS s
-- @when not mariadb and setting performance_schema = ON
-- A time that never was is 0000-00-00, which UNIX_TIMESTAMP makes 0.
SELECT c.channel_name AS channel,
       MAX(w.applied_at) AS applied_at,
       MAX(NULLIF(UNIX_TIMESTAMP(c.last_queued_transaction_original_commit_timestamp), 0)) AS queued_at,
       MIN(w.applying_at) AS applying_at,
       MAX(NULLIF(UNIX_TIMESTAMP(c.last_error_timestamp), 0)) AS io_error_at,
       NULLIF(GREATEST(COALESCE(MAX(w.error_at), 0), COALESCE(MAX(UNIX_TIMESTAMP(o.last_error_timestamp)), 0)), 0)
           AS sql_error_at,
       MAX(c.count_received_heartbeats) AS heartbeats,
       MAX(NULLIF(UNIX_TIMESTAMP(c.last_heartbeat_timestamp), 0)) AS heartbeat_at,
       MAX(a.count_transactions_retries) AS retries,
       SUM(w.state = 'applying') AS workers_applying,
       SUM(w.state = 'idle') AS workers_idle,
       SUM(w.state = 'stopped') AS workers_stopped
FROM performance_schema.replication_connection_status AS c
LEFT JOIN performance_schema.replication_applier_status AS a ON a.channel_name = c.channel_name
LEFT JOIN performance_schema.replication_applier_status_by_coordinator AS o ON o.channel_name = c.channel_name
LEFT JOIN (
    SELECT b.channel_name,
           CASE WHEN b.service_state = 'OFF' THEN 'stopped'
                WHEN b.applying_transaction <> '' THEN 'applying' ELSE 'idle' END AS state,
           IF(b.last_applied_transaction = '', NULL,
              NULLIF(UNIX_TIMESTAMP(b.last_applied_transaction_original_commit_timestamp), 0)) AS applied_at,
           IF(b.applying_transaction = '', NULL,
              NULLIF(UNIX_TIMESTAMP(b.applying_transaction_original_commit_timestamp), 0)) AS applying_at,
           UNIX_TIMESTAMP(b.last_error_timestamp) AS error_at
    FROM performance_schema.replication_applier_status_by_worker AS b
) AS w ON w.channel_name = c.channel_name
GROUP BY c.channel_name
