/* ---
description: How full pg_stat_statements is, and what it had to forget.
interval: 60s
max_series: 10
metrics:
  dbwatch_statement_entries_max: {value: entries_max}
  dbwatch_pg_statements_deallocated_total: {value: deallocated}
  dbwatch_pg_statements_reset_timestamp_seconds: {value: reset_at}
--- */
-- @when extension pg_stat_statements >= 1.9 and probe pg_stat_statements
SELECT current_setting('pg_stat_statements.max')::bigint AS entries_max,
       i.dealloc AS deallocated,
       extract(epoch FROM i.stats_reset)::float8 AS reset_at
FROM public.pg_stat_statements_info() AS i
-- @when extension pg_stat_statements < 1.9 and probe pg_stat_statements
-- What was forgotten is told since 1.9.
SELECT current_setting('pg_stat_statements.max')::bigint AS entries_max,
       NULL::bigint AS deallocated,
       NULL::float8 AS reset_at
