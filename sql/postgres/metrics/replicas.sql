/* ---
description: What each replica of this server does, and where its log is held up.
interval: 30s
max_series: 400
needs: [pg_monitor]
metrics:
  dbwatch_pg_synchronous_replicas: {value: synchronous}
  dbwatch_pg_synchronous_replicas_required: {value: required}
  dbwatch_pg_replica_state:
    - {value: is_startup, labels: {replica: replica, state: =startup}}
    - {value: is_catchup, labels: {replica: replica, state: =catchup}}
    - {value: is_streaming, labels: {replica: replica, state: =streaming}}
    - {value: is_stopping, labels: {replica: replica, state: =stopping}}
  dbwatch_pg_replica_sync_state:
    - {value: is_async, labels: {replica: replica, state: =async}}
    - {value: is_potential, labels: {replica: replica, state: =potential}}
    - {value: is_sync, labels: {replica: replica, state: =sync}}
    - {value: is_quorum, labels: {replica: replica, state: =quorum}}
  dbwatch_pg_replica_stage_lag_bytes:
    - {value: sent_bytes, labels: {replica: replica, stage: =sent}}
    - {value: write_bytes, labels: {replica: replica, stage: =write}}
    - {value: flush_bytes, labels: {replica: replica, stage: =flush}}
  dbwatch_pg_replica_stage_lag_seconds:
    - {value: write_seconds, labels: {replica: replica, stage: =write}}
    - {value: flush_seconds, labels: {replica: replica, stage: =flush}}
  dbwatch_pg_replica_last_reply_timestamp_seconds: {value: replied, labels: {replica: replica}}
--- */
-- Names and positions as in the collector `replication`, which tells of the last stage, replay.
-- A position that the replica has not told yet is absent.
WITH here AS MATERIALIZED (
    SELECT CASE WHEN pg_is_in_recovery()
                THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_lsn()
           END AS lsn
),
link AS MATERIALIZED (
    SELECT coalesce(k.slot_name, r.application_name) AS name,
           row_number() OVER (PARTITION BY coalesce(k.slot_name, r.application_name)
                              ORDER BY r.backend_start, r.pid) AS number,
           r.state, r.sync_state, r.reply_time, r.write_lag, r.flush_lag,
           pg_wal_lsn_diff(h.lsn, r.sent_lsn)::float8 AS sent_bytes,
           pg_wal_lsn_diff(h.lsn, r.write_lsn)::float8 AS write_bytes,
           pg_wal_lsn_diff(h.lsn, r.flush_lsn)::float8 AS flush_bytes
    FROM pg_stat_replication AS r
    CROSS JOIN here AS h
    LEFT JOIN pg_replication_slots AS k ON k.active_pid = r.pid
    WHERE r.state <> 'backup'
)
SELECT CASE WHEN l.number = 1 THEN l.name ELSE l.name || '#' || l.number END AS replica,
       l.state = 'startup' AS is_startup,
       l.state = 'catchup' AS is_catchup,
       l.state = 'streaming' AS is_streaming,
       l.state = 'stopping' AS is_stopping,
       l.sync_state = 'async' AS is_async,
       l.sync_state = 'potential' AS is_potential,
       l.sync_state = 'sync' AS is_sync,
       l.sync_state = 'quorum' AS is_quorum,
       CASE WHEN l.sent_bytes < 0 THEN 0 ELSE l.sent_bytes END AS sent_bytes,
       CASE WHEN l.write_bytes < 0 THEN 0 ELSE l.write_bytes END AS write_bytes,
       CASE WHEN l.flush_bytes < 0 THEN 0 ELSE l.flush_bytes END AS flush_bytes,
       -- The server forgets the lag of a replica that has nothing left to do.
       CASE WHEN l.state = 'streaming' AND l.write_bytes <= 0 THEN 0 ELSE extract(epoch FROM l.write_lag) END::float8
           AS write_seconds,
       CASE WHEN l.state = 'streaming' AND l.flush_bytes <= 0 THEN 0 ELSE extract(epoch FROM l.flush_lag) END::float8
           AS flush_seconds,
       extract(epoch FROM l.reply_time)::float8 AS replied,
       NULL::bigint AS synchronous,
       NULL::integer AS required
FROM link AS l
UNION ALL
-- While fewer are connected than a COMMIT waits for, every COMMIT hangs. A server that replays commits nothing.
SELECT '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       (SELECT count(*) FROM link AS l WHERE l.sync_state IN ('sync', 'quorum') AND l.state = 'streaming'),
       CASE WHEN btrim(w.names) = '' THEN 0
            ELSE coalesce(substring(w.names FROM '^\s*(?:[A-Za-z]+\s+)?(\d+)\s*\(')::integer, 1)
       END
FROM (SELECT current_setting('synchronous_standby_names') AS names) AS w
WHERE NOT pg_is_in_recovery()
