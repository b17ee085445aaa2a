/* ---
description: Errors and warnings that statements raised, the most frequent ones by name.
interval: 60s
max_series: 21
needs: [performance_schema]
top: {key: [error], weight: raised, limit: 20, growth: true}
metrics:
  dbwatch_mysql_errors_raised_total: {value: raised, labels: {error: error}}
--- */
-- What the server's own views raise inside (our own questions too) is no error of anybody's.
-- @when not mariadb and setting performance_schema = ON
SELECT e.error_name AS error, e.sum_error_raised AS raised
FROM performance_schema.events_errors_summary_global_by_error AS e
WHERE e.error_name <> 'ER_NO_SYSTEM_TABLE_ACCESS' AND e.sum_error_raised > 0
