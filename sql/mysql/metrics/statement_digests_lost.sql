/* ---
description: How many statements performance_schema can tell apart, and what came when it was full.
interval: 60s
max_series: 10
needs: [statement_digests]
metrics:
  dbwatch_statement_entries_max: {value: entries_max}
  dbwatch_mysql_statement_digests_lost_total: {value: lost}
--- */
-- @when mariadb and setting performance_schema = ON
SELECT @@global.performance_schema_digests_size AS entries_max, s.variable_value AS lost
FROM information_schema.global_status AS s
WHERE s.variable_name = 'PERFORMANCE_SCHEMA_DIGEST_LOST'
-- @when not mariadb and setting performance_schema = ON
SELECT @@global.performance_schema_digests_size AS entries_max, s.variable_value AS lost
FROM performance_schema.global_status AS s
WHERE s.variable_name = 'Performance_schema_digest_lost'
