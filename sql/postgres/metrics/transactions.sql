/* ---
description: Queries over their time, the oldest open transactions, and the longest idleness within one.
interval: 10s
max_series: 7
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
  dbwatch_longest_idle_in_transaction_seconds: {value: longest_idleness_seconds}
--- */
-- Background workers that run SQL (pg_cron, pg_background) are told as their queries are. A worker that shows no state has
-- no client to be idle for. Parallel workers belong to their leader; the server's own workers have families of their own.
SELECT count(*) FILTER (WHERE s.active AND s.query_seconds > 10) AS over_10,
       count(*) FILTER (WHERE s.active AND s.query_seconds > 60) AS over_60,
       count(*) FILTER (WHERE s.active AND s.query_seconds > 300) AS over_300,
       count(*) FILTER (WHERE s.active AND s.query_seconds > 3600) AS over_3600,
       coalesce(greatest(max(s.transaction_seconds) FILTER (WHERE s.active), 0), 0) AS longest_active_seconds,
       coalesce(greatest(max(s.transaction_seconds) FILTER (WHERE NOT s.active), 0), 0) AS longest_idle_seconds,
       coalesce(greatest(max(s.idle_seconds), 0), 0) AS longest_idleness_seconds
FROM (
    SELECT coalesce(a.state, 'active') IN ('active', 'fastpath function call') AS active,
           extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS query_seconds,
           extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_seconds,
           CASE WHEN a.backend_type = 'client backend' AND a.state LIKE 'idle in transaction%'
                THEN extract(epoch FROM clock_timestamp() - a.state_change)::float8 END AS idle_seconds
    FROM pg_stat_activity AS a
    WHERE (a.xact_start IS NOT NULL OR a.state LIKE 'idle in transaction%')  -- a failed one has no start any more
      AND a.leader_pid IS NULL
      AND a.backend_type NOT IN ('walsender', 'autovacuum launcher', 'autovacuum worker', 'slotsync worker')
      AND a.backend_type NOT LIKE 'logical replication%'
      AND a.application_name NOT LIKE 'dbwatch/%'
) AS s
