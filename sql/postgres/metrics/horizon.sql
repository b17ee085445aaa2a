/* ---
description: What keeps VACUUM from removing dead rows, by who holds it, and the prepared transactions.
interval: 60s
max_series: 6
needs: [pg_monitor]
metrics:
  dbwatch_oldest_snapshot_xids: {value: xids, labels: {holder: holder}}
  dbwatch_pg_prepared_transactions: {value: prepared}
  dbwatch_pg_prepared_transaction_oldest_seconds: {value: prepared_seconds}
--- */
-- A VACUUM, and the workers that help it, shows a snapshot and holds nobody up. A walsender's is its standby's.
-- A lost slot still shows what it needed, and VACUUM no longer heeds it.
-- (A transaction already running when we look may be younger than our own notion of now: never below 0.)
SELECT 'session' AS holder,
       coalesce(max(greatest(age(a.backend_xmin), age(a.backend_xid), 0)), 0) AS xids,
       NULL::bigint AS prepared,
       NULL::float8 AS prepared_seconds
FROM pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid()
  AND a.backend_type IS DISTINCT FROM 'walsender'
  AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum AS v WHERE v.pid = coalesce(a.leader_pid, a.pid))
UNION ALL
SELECT 'slot', coalesce(max(greatest(age(k.xmin), age(k.catalog_xmin), 0)), 0), NULL, NULL
FROM pg_replication_slots AS k
WHERE k.wal_status IS DISTINCT FROM 'lost'
UNION ALL
SELECT 'standby', coalesce(max(greatest(age(r.backend_xmin), 0)), 0), NULL, NULL
FROM pg_stat_replication AS r
UNION ALL
SELECT 'prepared',
       coalesce(max(greatest(age(p.transaction), 0)), 0),
       count(*),
       coalesce(greatest(extract(epoch FROM clock_timestamp() - min(p.prepared)), 0), 0)::float8
FROM pg_prepared_xacts AS p
