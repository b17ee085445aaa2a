/* ---
description: The functions that take most time, where the server counts them; asked only where it is switched on.
scope: database
interval: 60s
lane: slow
timeout: 10s
enabled: false
max_series: 5000
top: {key: [schema_name, function_name], weight: seconds, limit: 20, growth: true}
metrics:
  dbwatch_pg_function_calls_total: {value: calls, labels: {database: database, schema: schema_name, function: function_name}}
  dbwatch_pg_function_seconds_total: {value: seconds, labels: {database: database, schema: schema_name, function: function_name}}
  dbwatch_pg_function_self_seconds_total:
    {value: self_seconds, labels: {database: database, schema: schema_name, function: function_name}}
--- */
-- None without track_functions (pl: procedural languages; all: SQL and C too). Those of one name add up.
SELECT s.schemaname AS schema_name,
       s.funcname AS function_name,
       sum(s.calls)::float8 AS calls,
       sum(s.total_time) / 1000 AS seconds,
       sum(s.self_time) / 1000 AS self_seconds
FROM pg_stat_user_functions AS s
GROUP BY s.schemaname, s.funcname
