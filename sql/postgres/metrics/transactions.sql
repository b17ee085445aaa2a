/* ---
description: Queries over their time, and the oldest open transactions.
interval: 10s
max_series: 6
needs: [pg_monitor, track_activities]
metrics:
  dbwatch_queries_running_over:
    - {value: over_10, labels: {threshold_seconds: "=10"}}
    - {value: over_60, labels: {threshold_seconds: "=60"}}
    - {value: over_300, labels: {threshold_seconds: "=300"}}
    - {value: over_3600, labels: {threshold_seconds: "=3600"}}
  dbwatch_longest_transaction_seconds:
    - {value: longest_active_seconds, labels: {state: =active}}
    - {value: longest_idle_seconds, labels: {state: =idle}}
--- */
SELECT count(*) FILTER (WHERE s.active AND s.query_seconds > 10) AS over_10,
       count(*) FILTER (WHERE s.active AND s.query_seconds > 60) AS over_60,
       count(*) FILTER (WHERE s.active AND s.query_seconds > 300) AS over_300,
       count(*) FILTER (WHERE s.active AND s.query_seconds > 3600) AS over_3600,
       coalesce(greatest(max(s.transaction_seconds) FILTER (WHERE s.active), 0), 0) AS longest_active_seconds,
       coalesce(greatest(max(s.transaction_seconds) FILTER (WHERE NOT s.active), 0), 0) AS longest_idle_seconds
FROM (
    SELECT a.state IN ('active', 'fastpath function call') AS active,
           extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS query_seconds,
           extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_seconds
    FROM pg_stat_activity AS a
    WHERE a.backend_type = 'client backend'
      AND a.xact_start IS NOT NULL
      AND a.application_name NOT LIKE 'dbwatch/%'
) AS s
