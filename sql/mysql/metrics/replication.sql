/* ---
description: On a replica, each channel to its source - connected, running, behind by how much, failed with what.
interval: 15s
max_series: 130
needs: [replication]
metrics:
  dbwatch_replication_connected: {value: connected, labels: {channel: channel}}
  dbwatch_replication_lag_seconds: {value: lag_seconds, labels: {channel: channel}}
  dbwatch_replication_lag_bytes: {value: lag_bytes, labels: {channel: channel}}
  dbwatch_replication_thread_running:
    - {value: io_running, labels: {channel: channel, thread: =io}}
    - {value: sql_running, labels: {channel: channel, thread: =sql}}
  dbwatch_mysql_replication_last_error_number:
    - {value: io_error, labels: {channel: channel, thread: =io}}
    - {value: sql_error, labels: {channel: channel, thread: =sql}}
  dbwatch_mysql_replication_lag_transactions: {value: lag_transactions, labels: {channel: channel}}
  dbwatch_mysql_gtid_executed_gaps: {value: gtid_gaps, labels: {channel: channel}}
  dbwatch_mysql_replication_auto_position: {value: auto_position, labels: {channel: channel}}
  dbwatch_mysql_replication_delay_seconds: {value: delay_seconds, labels: {channel: channel}}
  dbwatch_mysql_replication_delay_remaining_seconds: {value: delay_remaining_seconds, labels: {channel: channel}}
  dbwatch_mysql_replication_connect_retry_seconds: {value: connect_retry_seconds, labels: {channel: channel}}
  dbwatch_mysql_relay_log_size_bytes: {value: relay_bytes, labels: {channel: channel}}
--- */
-- Two spellings of one fact: dbwatch gives both the column names used above, counts transactions out of the sets of
-- GTIDs, and leaves the lag out while the link is down (MySQL says 0 then). Where no channel is configured there is no
-- row.
-- @when mariadb
SHOW ALL SLAVES STATUS
-- @when not mariadb
SHOW REPLICA STATUS
