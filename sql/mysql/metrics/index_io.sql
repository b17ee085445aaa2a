/* ---
description: Rows read through the busiest indexes, and the time it took.
interval: 5m
lane: slow
max_series: 50
needs: [instruments]
top: {key: [database, table, index], weight: picoseconds, limit: 20, growth: true}
metrics:
  dbwatch_mysql_index_io_seconds_total:
    {value: picoseconds, labels: {database: database, table: table, index: index}, scale: 1.0e-12}
  dbwatch_mysql_index_rows_read_total: {value: fetches, labels: {database: database, table: table, index: index}}
--- */
-- @when setting performance_schema = ON
SELECT s.object_schema AS `database`, s.object_name AS `table`, s.index_name AS `index`,
       s.sum_timer_wait AS picoseconds, s.count_fetch AS fetches
FROM performance_schema.table_io_waits_summary_by_index_usage AS s
WHERE s.object_type = 'TABLE' AND s.count_star > 0 AND s.index_name IS NOT NULL
  AND s.object_schema NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')
