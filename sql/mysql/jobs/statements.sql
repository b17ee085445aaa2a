/* ---
description: The statements that took most time, without their texts.
timeout: 5s
needs: [statement_digests]
--- */
-- @when setting performance_schema = ON
SELECT COALESCE(s.digest, '') AS queryid,
       COALESCE(s.schema_name, '') AS `database`,
       s.count_star AS calls,
       s.sum_timer_wait / 1.0e12 AS total_seconds,
       s.avg_timer_wait / 1.0e12 AS mean_seconds,
       s.sum_rows_sent + s.sum_rows_affected AS `rows`
FROM performance_schema.events_statements_summary_by_digest AS s
ORDER BY s.sum_timer_wait DESC
LIMIT 20
