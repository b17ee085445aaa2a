/* ---
description: Rows read and written in the busiest tables, and the time it took.
interval: 5m
lane: slow
max_series: 220
needs: [instruments]
top: {key: [database, table], weight: all_picoseconds, limit: 20, growth: true}
metrics:
  dbwatch_mysql_table_io_seconds_total:
    - {value: fetch_picoseconds, labels: {database: database, table: table, operation: =fetch}, scale: 1.0e-12}
    - {value: insert_picoseconds, labels: {database: database, table: table, operation: =insert}, scale: 1.0e-12}
    - {value: update_picoseconds, labels: {database: database, table: table, operation: =update}, scale: 1.0e-12}
    - {value: delete_picoseconds, labels: {database: database, table: table, operation: =delete}, scale: 1.0e-12}
  dbwatch_mysql_table_io_operations_total:
    - {value: fetches, labels: {database: database, table: table, operation: =fetch}}
    - {value: inserts, labels: {database: database, table: table, operation: =insert}}
    - {value: updates, labels: {database: database, table: table, operation: =update}}
    - {value: deletes, labels: {database: database, table: table, operation: =delete}}
  dbwatch_mysql_table_scan_rows_total: {value: scanned, labels: {database: database, table: table}}
--- */
-- One operation is one row. Reads that no index led to stand under an index without a name.
-- @when setting performance_schema = ON
SELECT t.object_schema AS `database`, t.object_name AS `table`,
       t.sum_timer_wait AS all_picoseconds,
       t.sum_timer_fetch AS fetch_picoseconds, t.sum_timer_insert AS insert_picoseconds,
       t.sum_timer_update AS update_picoseconds, t.sum_timer_delete AS delete_picoseconds,
       t.count_fetch AS fetches, t.count_insert AS inserts, t.count_update AS updates, t.count_delete AS deletes,
       COALESCE(s.count_fetch, 0) AS scanned
FROM performance_schema.table_io_waits_summary_by_table AS t
LEFT JOIN performance_schema.table_io_waits_summary_by_index_usage AS s
       ON s.object_type = 'TABLE' AND s.object_schema = t.object_schema AND s.object_name = t.object_name
      AND s.index_name IS NULL
WHERE t.object_type = 'TABLE' AND t.count_star > 0
  AND t.object_schema NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')
