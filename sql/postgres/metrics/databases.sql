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
--- */
-- @when postgres >= 14
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
       s.blks_hit, s.blks_read,
       s.tup_returned, s.tup_fetched, s.tup_inserted, s.tup_updated, s.tup_deleted
FROM pg_stat_database AS s
LEFT JOIN pg_database AS d ON d.oid = s.datid
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
       s.blks_hit, s.blks_read,
       s.tup_returned, s.tup_fetched, s.tup_inserted, s.tup_updated, s.tup_deleted
FROM pg_stat_database AS s
LEFT JOIN pg_database AS d ON d.oid = s.datid
WHERE s.datid = 0 OR d.datallowconn OR NOT d.datistemplate
