/* ---
description: The statements that take most time, and what they read, wait for and fail at (digests, performance_schema).
interval: 60s
lane: slow
timeout: 5s
needs: [statement_digests]
max_series: 300
accumulate: [database_name, queryid]
top: {key: [database_name, queryid], weight: timer_wait, limit: 20, growth: true}
metrics:
  dbwatch_statement_calls_total: {value: calls, labels: {database: database_name, queryid: queryid}}
  dbwatch_statement_seconds_total: {value: timer_wait, scale: 1.0e-12, labels: {database: database_name, queryid: queryid}}
  dbwatch_statement_rows_total: {value: row_count, labels: {database: database_name, queryid: queryid}}
  dbwatch_statement_errors_total: {value: errors, labels: {database: database_name, queryid: queryid}}
  dbwatch_statement_entries: {value: =1}
  dbwatch_mysql_statement_lock_seconds_total:
    {value: lock_time, scale: 1.0e-12, labels: {database: database_name, queryid: queryid}}
  dbwatch_mysql_statement_cpu_seconds_total:
    {value: cpu_time, scale: 1.0e-12, labels: {database: database_name, queryid: queryid}}
  dbwatch_mysql_statement_rows_examined_total: {value: rows_examined, labels: {database: database_name, queryid: queryid}}
  dbwatch_mysql_statement_no_index_total: {value: no_index_used, labels: {database: database_name, queryid: queryid}}
  dbwatch_mysql_statement_temp_disk_tables_total:
    {value: temp_disk_tables, labels: {database: database_name, queryid: queryid}}
  dbwatch_mysql_statement_latency_seconds:
    - {value: quantile_95, scale: 1.0e-12, labels: {database: database_name, queryid: queryid, percentile: =95}}
    - {value: quantile_99, scale: 1.0e-12, labels: {database: database_name, queryid: queryid, percentile: =99}}
--- */
-- The texts are not read. The row without a digest holds what came when the table was full: it is part of the rest.
-- Times of the processor are NULL, not zero, unless the server measures them (consumer events_statements_cpu).
-- @when mysql >= 8.0.28 and setting performance_schema = ON
SELECT IF(s.digest IS NULL, '_other', COALESCE(s.schema_name, '')) AS database_name,
       COALESCE(s.digest, '_other') AS queryid,
       s.count_star AS calls,
       s.sum_timer_wait AS timer_wait,
       s.sum_rows_sent + s.sum_rows_affected AS row_count,
       s.sum_errors AS errors,
       s.sum_lock_time AS lock_time,
       IF((SELECT c.enabled
           FROM performance_schema.setup_consumers AS c
           WHERE c.name = 'events_statements_cpu') = 'YES', s.sum_cpu_time, NULL) AS cpu_time,
       s.sum_rows_examined AS rows_examined,
       s.sum_no_index_used AS no_index_used,
       s.sum_created_tmp_disk_tables AS temp_disk_tables,
       s.quantile_95 AS quantile_95,
       s.quantile_99 AS quantile_99
FROM performance_schema.events_statements_summary_by_digest AS s
-- @when mysql < 8.0.28 and setting performance_schema = ON
SELECT IF(s.digest IS NULL, '_other', COALESCE(s.schema_name, '')) AS database_name,
       COALESCE(s.digest, '_other') AS queryid,
       s.count_star AS calls,
       s.sum_timer_wait AS timer_wait,
       s.sum_rows_sent + s.sum_rows_affected AS row_count,
       s.sum_errors AS errors,
       s.sum_lock_time AS lock_time,
       NULL AS cpu_time,
       s.sum_rows_examined AS rows_examined,
       s.sum_no_index_used AS no_index_used,
       s.sum_created_tmp_disk_tables AS temp_disk_tables,
       s.quantile_95 AS quantile_95,
       s.quantile_99 AS quantile_99
FROM performance_schema.events_statements_summary_by_digest AS s
-- @when mariadb and setting performance_schema = ON
SELECT IF(s.digest IS NULL, '_other', COALESCE(s.schema_name, '')) AS database_name,
       COALESCE(s.digest, '_other') AS queryid,
       s.count_star AS calls,
       s.sum_timer_wait AS timer_wait,
       s.sum_rows_sent + s.sum_rows_affected AS row_count,
       s.sum_errors AS errors,
       s.sum_lock_time AS lock_time,
       NULL AS cpu_time,
       s.sum_rows_examined AS rows_examined,
       s.sum_no_index_used AS no_index_used,
       s.sum_created_tmp_disk_tables AS temp_disk_tables,
       NULL AS quantile_95,
       NULL AS quantile_99
FROM performance_schema.events_statements_summary_by_digest AS s
