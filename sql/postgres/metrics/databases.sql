/* ---
description: What each database has done since its statistics were reset.
interval: 15s
needs: [track_counts]
max_series: 5000
metrics:
  dbwatch_connections_total: {value: sessions, labels: {database: database}}
  dbwatch_connection_failures_total:
    - {value: sessions_abandoned, labels: {database: database, reason: =abandoned}}
    - {value: sessions_fatal, labels: {database: database, reason: =fatal}}
    - {value: sessions_killed, labels: {database: database, reason: =killed}}
  dbwatch_database_sessions_max: {value: sessions_max, labels: {database: database}}
  dbwatch_deadlocks_total: {value: deadlocks, labels: {database: database}}
  dbwatch_transactions_total:
    - {value: committed, labels: {database: database, outcome: =committed}}
    - {value: rolled_back, labels: {database: database, outcome: =rolled_back}}
  dbwatch_database_rows_total:
    - {value: tup_returned, labels: {database: database, operation: =returned}}
    - {value: tup_fetched, labels: {database: database, operation: =fetched}}
    - {value: tup_inserted, labels: {database: database, operation: =inserted}}
    - {value: tup_updated, labels: {database: database, operation: =updated}}
    - {value: tup_deleted, labels: {database: database, operation: =deleted}}
  dbwatch_cache_hits_total: {value: blks_hit, labels: {database: database, cache: =shared_buffers}}
  dbwatch_cache_misses_total: {value: blks_read, labels: {database: database, cache: =shared_buffers}}
  dbwatch_temp_files_total: {value: temp_files, labels: {database: database}}
  dbwatch_temp_bytes_total: {value: temp_bytes, labels: {database: database}}
  dbwatch_pg_block_io_seconds_total:
    - {value: read_ms, scale: 0.001, labels: {database: database, operation: =read}}
    - {value: write_ms, scale: 0.001, labels: {database: database, operation: =write}}
  dbwatch_pg_session_seconds_total:
    - {value: session_ms, scale: 0.001, labels: {database: database, state: =all}}
    - {value: active_ms, scale: 0.001, labels: {database: database, state: =active}}
    - {value: idle_in_transaction_ms, scale: 0.001, labels: {database: database, state: =idle_in_transaction}}
  dbwatch_pg_parallel_workers_total:
    - {value: workers_planned, labels: {database: database, step: =planned}}
    - {value: workers_launched, labels: {database: database, step: =launched}}
  dbwatch_pg_checksum_failures_total: {value: checksum_failures, labels: {database: database}}
  dbwatch_pg_checksum_last_failure_timestamp_seconds: {value: checksum_last_failure, labels: {database: database}}
  dbwatch_pg_statistics_reset_timestamp_seconds: {value: statistics_reset, labels: {database: database}}
--- */
-- @when postgres >= 18
-- The row without a database counts the catalogues that all of them share: nobody logs in there.
SELECT coalesce(s.datname, '') AS database,
       CASE WHEN s.datid > 0 THEN s.sessions END AS sessions,
       CASE WHEN s.datid > 0 THEN s.sessions_abandoned END AS sessions_abandoned,
       CASE WHEN s.datid > 0 THEN s.sessions_fatal END AS sessions_fatal,
       CASE WHEN s.datid > 0 THEN s.sessions_killed END AS sessions_killed,
       CASE WHEN s.datid > 0 THEN s.xact_commit END AS committed,
       CASE WHEN s.datid > 0 THEN s.xact_rollback END AS rolled_back,
       CASE WHEN s.datid > 0 THEN s.deadlocks END AS deadlocks,
       CASE WHEN s.datid > 0 THEN s.temp_files END AS temp_files,
       CASE WHEN s.datid > 0 THEN s.temp_bytes END AS temp_bytes,
       CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END AS sessions_max,
       CASE WHEN s.datid > 0 THEN s.session_time END AS session_ms,
       CASE WHEN s.datid > 0 THEN s.active_time END AS active_ms,
       CASE WHEN s.datid > 0 THEN s.idle_in_transaction_time END AS idle_in_transaction_ms,
       CASE WHEN s.datid > 0 THEN s.parallel_workers_to_launch END AS workers_planned,
       CASE WHEN s.datid > 0 THEN s.parallel_workers_launched END AS workers_launched,
       s.checksum_failures,
       extract(epoch FROM s.checksum_last_failure)::float8 AS checksum_last_failure,
       extract(epoch FROM s.stats_reset)::float8 AS statistics_reset,
       CASE WHEN t.is_timed THEN s.blk_read_time END AS read_ms,
       CASE WHEN t.is_timed THEN s.blk_write_time END AS write_ms,
       s.blks_hit, s.blks_read,
       s.tup_returned, s.tup_fetched, s.tup_inserted, s.tup_updated, s.tup_deleted
FROM pg_stat_database AS s
LEFT JOIN pg_database AS d ON d.oid = s.datid
CROSS JOIN (SELECT current_setting('track_io_timing')::boolean AS is_timed) AS t
WHERE s.datid = 0 OR d.datallowconn OR NOT d.datistemplate
-- @when postgres >= 14 and postgres < 18
-- As above; parallel workers are counted since PostgreSQL 18.
SELECT coalesce(s.datname, '') AS database,
       CASE WHEN s.datid > 0 THEN s.sessions END AS sessions,
       CASE WHEN s.datid > 0 THEN s.sessions_abandoned END AS sessions_abandoned,
       CASE WHEN s.datid > 0 THEN s.sessions_fatal END AS sessions_fatal,
       CASE WHEN s.datid > 0 THEN s.sessions_killed END AS sessions_killed,
       CASE WHEN s.datid > 0 THEN s.xact_commit END AS committed,
       CASE WHEN s.datid > 0 THEN s.xact_rollback END AS rolled_back,
       CASE WHEN s.datid > 0 THEN s.deadlocks END AS deadlocks,
       CASE WHEN s.datid > 0 THEN s.temp_files END AS temp_files,
       CASE WHEN s.datid > 0 THEN s.temp_bytes END AS temp_bytes,
       CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END AS sessions_max,
       CASE WHEN s.datid > 0 THEN s.session_time END AS session_ms,
       CASE WHEN s.datid > 0 THEN s.active_time END AS active_ms,
       CASE WHEN s.datid > 0 THEN s.idle_in_transaction_time END AS idle_in_transaction_ms,
       NULL::bigint AS workers_planned,
       NULL::bigint AS workers_launched,
       s.checksum_failures,
       extract(epoch FROM s.checksum_last_failure)::float8 AS checksum_last_failure,
       extract(epoch FROM s.stats_reset)::float8 AS statistics_reset,
       CASE WHEN t.is_timed THEN s.blk_read_time END AS read_ms,
       CASE WHEN t.is_timed THEN s.blk_write_time END AS write_ms,
       s.blks_hit, s.blks_read,
       s.tup_returned, s.tup_fetched, s.tup_inserted, s.tup_updated, s.tup_deleted
FROM pg_stat_database AS s
LEFT JOIN pg_database AS d ON d.oid = s.datid
CROSS JOIN (SELECT current_setting('track_io_timing')::boolean AS is_timed) AS t
WHERE s.datid = 0 OR d.datallowconn OR NOT d.datistemplate
-- @when postgres < 14
-- As above; sessions are counted since PostgreSQL 14.
SELECT coalesce(s.datname, '') AS database,
       NULL::bigint AS sessions,
       NULL::bigint AS sessions_abandoned,
       NULL::bigint AS sessions_fatal,
       NULL::bigint AS sessions_killed,
       CASE WHEN s.datid > 0 THEN s.xact_commit END AS committed,
       CASE WHEN s.datid > 0 THEN s.xact_rollback END AS rolled_back,
       CASE WHEN s.datid > 0 THEN s.deadlocks END AS deadlocks,
       CASE WHEN s.datid > 0 THEN s.temp_files END AS temp_files,
       CASE WHEN s.datid > 0 THEN s.temp_bytes END AS temp_bytes,
       CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END AS sessions_max,
       NULL::float8 AS session_ms,
       NULL::float8 AS active_ms,
       NULL::float8 AS idle_in_transaction_ms,
       NULL::bigint AS workers_planned,
       NULL::bigint AS workers_launched,
       s.checksum_failures,
       extract(epoch FROM s.checksum_last_failure)::float8 AS checksum_last_failure,
       extract(epoch FROM s.stats_reset)::float8 AS statistics_reset,
       CASE WHEN t.is_timed THEN s.blk_read_time END AS read_ms,
       CASE WHEN t.is_timed THEN s.blk_write_time END AS write_ms,
       s.blks_hit, s.blks_read,
       s.tup_returned, s.tup_fetched, s.tup_inserted, s.tup_updated, s.tup_deleted
FROM pg_stat_database AS s
LEFT JOIN pg_database AS d ON d.oid = s.datid
CROSS JOIN (SELECT current_setting('track_io_timing')::boolean AS is_timed) AS t
WHERE s.datid = 0 OR d.datallowconn OR NOT d.datistemplate
