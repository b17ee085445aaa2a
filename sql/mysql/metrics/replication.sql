/* ---
description: On a replica, each channel to its source - connected, running, behind by how much.
interval: 15s
max_series: 100
needs: [replication]
metrics:
  dbwatch_replication_connected: {value: connected, labels: {channel: channel}}
  dbwatch_replication_lag_seconds: {value: lag_seconds, labels: {channel: channel}}
  dbwatch_replication_lag_bytes: {value: lag_bytes, labels: {channel: channel}}
  dbwatch_replication_thread_running:
    - {value: io_running, labels: {channel: channel, thread: =io}}
    - {value: sql_running, labels: {channel: channel, thread: =sql}}
--- */
-- Two spellings of one fact: dbwatch gives both the column names used above, and leaves the lag out while the link is
-- down (MySQL says 0 then). Where no channel is configured there is no row.
-- @when mariadb
SHOW ALL SLAVES STATUS
-- @when not mariadb
SHOW REPLICA STATUS
