/* ---
description: The server's error log - entries by severity, and when the last one was written.
interval: 60s
max_series: 8
needs: [performance_schema]
metrics:
  dbwatch_mysql_error_log_events: {value: events, labels: {severity: severity}}
  dbwatch_mysql_error_log_last_timestamp_seconds: {value: last_at, labels: {severity: severity}}
--- */
-- The server keeps the newest five megabytes of it as a table. No text of it is read. MariaDB has no such table.
-- @when not mariadb and setting performance_schema = ON
SELECT c.severity, COUNT(e.logged) AS events, UNIX_TIMESTAMP(MAX(e.logged)) AS last_at
FROM (
    SELECT 'error' AS severity UNION ALL SELECT 'warning' UNION ALL SELECT 'note' UNION ALL SELECT 'system'
) AS c
LEFT JOIN performance_schema.error_log AS e ON e.prio = c.severity
GROUP BY c.severity
