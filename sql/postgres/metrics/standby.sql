/* ---
description: On a replica, its receiver, whether replay is paused, and the queries that replay cancelled.
interval: 30s
role: replica
max_series: 1000
needs: [pg_monitor]
metrics:
  dbwatch_pg_wal_receiver_status:
    - {value: is_starting, labels: {status: =starting}}
    - {value: is_streaming, labels: {status: =streaming}}
    - {value: is_waiting, labels: {status: =waiting}}
    - {value: is_restarting, labels: {status: =restarting}}
    - {value: is_stopping, labels: {status: =stopping}}
    - {value: is_stopped, labels: {status: =stopped}}
  dbwatch_pg_wal_receiver_last_event_timestamp_seconds:
    - {value: sent, labels: {event: =sent}}
    - {value: received, labels: {event: =received}}
    - {value: reported, labels: {event: =reported}}
  dbwatch_pg_wal_replay_paused: {value: paused}
  dbwatch_pg_standby_conflicts_total:
    - {value: confl_tablespace, labels: {database: database, kind: =tablespace}}
    - {value: confl_lock, labels: {database: database, kind: =lock}}
    - {value: confl_snapshot, labels: {database: database, kind: =snapshot}}
    - {value: confl_bufferpin, labels: {database: database, kind: =bufferpin}}
    - {value: confl_deadlock, labels: {database: database, kind: =deadlock}}
    - {value: confl_slot, labels: {database: database, kind: =logical_slot}}
  dbwatch_pg_recovery_prefetch_blocks_total:
    - {value: prefetch, labels: {outcome: =prefetched}}
    - {value: hit, labels: {outcome: =hit}}
    - {value: skip_init, labels: {outcome: =skipped_init}}
    - {value: skip_new, labels: {outcome: =skipped_new}}
    - {value: skip_fpw, labels: {outcome: =skipped_full_page}}
    - {value: skip_rep, labels: {outcome: =skipped_repeated}}
  dbwatch_pg_recovery_prefetch_distance_bytes: {value: wal_distance}
--- */
-- @when postgres >= 16
-- Without a receiver there is no row: it is stopped, unless this server only replays an archive and wants none. A
-- promotion between two looks must not become an error, so nothing of this is asked outside of recovery. Conflicts are
-- not counted while track_counts is off.
SELECT '' AS database,
       CASE WHEN o.linked THEN coalesce(w.status = 'starting', false) END AS is_starting,
       CASE WHEN o.linked THEN coalesce(w.status = 'streaming', false) END AS is_streaming,
       CASE WHEN o.linked THEN coalesce(w.status = 'waiting', false) END AS is_waiting,
       CASE WHEN o.linked THEN coalesce(w.status = 'restarting', false) END AS is_restarting,
       CASE WHEN o.linked THEN coalesce(w.status = 'stopping', false) END AS is_stopping,
       CASE WHEN o.linked THEN w.status IS NULL END AS is_stopped,
       extract(epoch FROM w.last_msg_send_time)::float8 AS sent,
       extract(epoch FROM w.last_msg_receipt_time)::float8 AS received,
       extract(epoch FROM w.latest_end_time)::float8 AS reported,
       CASE WHEN o.replays THEN pg_is_wal_replay_paused() END AS paused,
       p.prefetch,
       p.hit,
       p.skip_init,
       p.skip_new,
       p.skip_fpw,
       p.skip_rep,
       p.wal_distance,
       NULL::bigint AS confl_tablespace,
       NULL::bigint AS confl_lock,
       NULL::bigint AS confl_snapshot,
       NULL::bigint AS confl_bufferpin,
       NULL::bigint AS confl_deadlock,
       NULL::bigint AS confl_slot
FROM (
    SELECT pg_is_in_recovery() AS replays,
           NOT EXISTS (SELECT FROM pg_settings AS g WHERE g.name = 'primary_conninfo' AND g.setting = '') AS linked
) AS o
LEFT JOIN pg_stat_wal_receiver AS w ON true
CROSS JOIN pg_stat_recovery_prefetch AS p
WHERE o.replays
UNION ALL
SELECT c.datname, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       c.confl_tablespace, c.confl_lock, c.confl_snapshot, c.confl_bufferpin, c.confl_deadlock, c.confl_active_logicalslot
FROM pg_stat_database_conflicts AS c
JOIN pg_database AS d ON d.oid = c.datid
WHERE pg_is_in_recovery()
  AND (d.datallowconn OR NOT d.datistemplate)
  AND current_setting('track_counts')::boolean
-- @when postgres >= 15 and postgres < 16
-- As above; a replica has no logical slots yet.
SELECT '' AS database,
       CASE WHEN o.linked THEN coalesce(w.status = 'starting', false) END AS is_starting,
       CASE WHEN o.linked THEN coalesce(w.status = 'streaming', false) END AS is_streaming,
       CASE WHEN o.linked THEN coalesce(w.status = 'waiting', false) END AS is_waiting,
       CASE WHEN o.linked THEN coalesce(w.status = 'restarting', false) END AS is_restarting,
       CASE WHEN o.linked THEN coalesce(w.status = 'stopping', false) END AS is_stopping,
       CASE WHEN o.linked THEN w.status IS NULL END AS is_stopped,
       extract(epoch FROM w.last_msg_send_time)::float8 AS sent,
       extract(epoch FROM w.last_msg_receipt_time)::float8 AS received,
       extract(epoch FROM w.latest_end_time)::float8 AS reported,
       CASE WHEN o.replays THEN pg_is_wal_replay_paused() END AS paused,
       p.prefetch,
       p.hit,
       p.skip_init,
       p.skip_new,
       p.skip_fpw,
       p.skip_rep,
       p.wal_distance,
       NULL::bigint AS confl_tablespace,
       NULL::bigint AS confl_lock,
       NULL::bigint AS confl_snapshot,
       NULL::bigint AS confl_bufferpin,
       NULL::bigint AS confl_deadlock,
       NULL::bigint AS confl_slot
FROM (
    SELECT pg_is_in_recovery() AS replays,
           NOT EXISTS (SELECT FROM pg_settings AS g WHERE g.name = 'primary_conninfo' AND g.setting = '') AS linked
) AS o
LEFT JOIN pg_stat_wal_receiver AS w ON true
CROSS JOIN pg_stat_recovery_prefetch AS p
WHERE o.replays
UNION ALL
SELECT c.datname, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       c.confl_tablespace, c.confl_lock, c.confl_snapshot, c.confl_bufferpin, c.confl_deadlock, NULL
FROM pg_stat_database_conflicts AS c
JOIN pg_database AS d ON d.oid = c.datid
WHERE pg_is_in_recovery()
  AND (d.datallowconn OR NOT d.datistemplate)
  AND current_setting('track_counts')::boolean
-- @when postgres < 15
-- As above; and it reads no block ahead.
SELECT '' AS database,
       CASE WHEN o.linked THEN coalesce(w.status = 'starting', false) END AS is_starting,
       CASE WHEN o.linked THEN coalesce(w.status = 'streaming', false) END AS is_streaming,
       CASE WHEN o.linked THEN coalesce(w.status = 'waiting', false) END AS is_waiting,
       CASE WHEN o.linked THEN coalesce(w.status = 'restarting', false) END AS is_restarting,
       CASE WHEN o.linked THEN coalesce(w.status = 'stopping', false) END AS is_stopping,
       CASE WHEN o.linked THEN w.status IS NULL END AS is_stopped,
       extract(epoch FROM w.last_msg_send_time)::float8 AS sent,
       extract(epoch FROM w.last_msg_receipt_time)::float8 AS received,
       extract(epoch FROM w.latest_end_time)::float8 AS reported,
       CASE WHEN o.replays THEN pg_is_wal_replay_paused() END AS paused,
       NULL::bigint AS prefetch,
       NULL::bigint AS hit,
       NULL::bigint AS skip_init,
       NULL::bigint AS skip_new,
       NULL::bigint AS skip_fpw,
       NULL::bigint AS skip_rep,
       NULL::bigint AS wal_distance,
       NULL::bigint AS confl_tablespace,
       NULL::bigint AS confl_lock,
       NULL::bigint AS confl_snapshot,
       NULL::bigint AS confl_bufferpin,
       NULL::bigint AS confl_deadlock,
       NULL::bigint AS confl_slot
FROM (
    SELECT pg_is_in_recovery() AS replays,
           NOT EXISTS (SELECT FROM pg_settings AS g WHERE g.name = 'primary_conninfo' AND g.setting = '') AS linked
) AS o
LEFT JOIN pg_stat_wal_receiver AS w ON true
WHERE o.replays
UNION ALL
SELECT c.datname, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       c.confl_tablespace, c.confl_lock, c.confl_snapshot, c.confl_bufferpin, c.confl_deadlock, NULL
FROM pg_stat_database_conflicts AS c
JOIN pg_database AS d ON d.oid = c.datid
WHERE pg_is_in_recovery()
  AND (d.datallowconn OR NOT d.datistemplate)
  AND current_setting('track_counts')::boolean
