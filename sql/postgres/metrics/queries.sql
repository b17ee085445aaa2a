/* ---
description: The oldest running query of each database.
interval: 10s
needs: [pg_monitor, track_activities]
metrics:
  dbwatch_longest_query_seconds: {value: longest_seconds, labels: {database: database}}
--- */
-- A background worker that runs SQL does so within a transaction; some show the state active all their life.
SELECT d.datname AS database,
       coalesce(greatest(extract(epoch FROM clock_timestamp() - min(s.query_start)), 0), 0)::float8 AS longest_seconds
FROM pg_database AS d
LEFT JOIN pg_stat_activity AS s
       ON s.datid = d.oid
      AND s.state IN ('active', 'fastpath function call')
      AND (s.backend_type = 'client backend' OR s.xact_start IS NOT NULL)
      AND s.leader_pid IS NULL
      AND s.backend_type NOT IN ('walsender', 'autovacuum launcher', 'autovacuum worker', 'slotsync worker')
      AND s.backend_type NOT LIKE 'logical replication%'
      AND s.application_name NOT LIKE 'dbwatch/%'
WHERE d.datallowconn OR NOT d.datistemplate
GROUP BY d.datname
