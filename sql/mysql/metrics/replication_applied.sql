/* ---
description: On a replica, when the last transaction that it applied was committed at the source.
interval: 15s
max_series: 100
needs: [performance_schema]
metrics:
  dbwatch_replication_last_applied_timestamp_seconds: {value: applied_at, labels: {channel: channel}}
--- */
-- MariaDB tells no such time in any version that is in use.
-- @when not mariadb and setting performance_schema = ON
SELECT w.channel_name AS channel,
       MAX(IF(w.last_applied_transaction = '', NULL,
              UNIX_TIMESTAMP(w.last_applied_transaction_original_commit_timestamp))) AS applied_at
FROM performance_schema.replication_applier_status_by_worker AS w
GROUP BY w.channel_name
