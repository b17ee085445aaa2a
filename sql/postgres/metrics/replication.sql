/* ---
description: The replicas of this server, and on a replica the link to its source.
interval: 15s
max_series: 200
needs: [pg_monitor]
metrics:
  dbwatch_replication_connected: {value: connected, labels: {replica: replica, channel: channel}}
  dbwatch_replication_lag_bytes: {value: lag_bytes, labels: {replica: replica, channel: channel}}
  dbwatch_replication_lag_seconds: {value: lag_seconds, labels: {replica: replica, channel: channel}}
  dbwatch_replication_last_applied_timestamp_seconds: {value: last_applied, labels: {channel: channel}}
--- */
-- A replica is named by its slot, else by its application_name, never by its address; a second link of one name is
-- `name#2`. The position of a replica that feeds others is what it received itself.
WITH here AS MATERIALIZED (
    SELECT CASE WHEN pg_is_in_recovery()
                THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_lsn()
           END AS lsn
),
link AS (
    SELECT coalesce(k.slot_name, r.application_name) AS name,
           row_number() OVER (PARTITION BY coalesce(k.slot_name, r.application_name)
                              ORDER BY r.backend_start, r.pid) AS number,
           r.state,
           r.replay_lsn,
           r.replay_lag
    FROM pg_stat_replication AS r
    LEFT JOIN pg_replication_slots AS k ON k.active_pid = r.pid
    WHERE r.state <> 'backup'
)
SELECT CASE WHEN l.number = 1 THEN l.name ELSE l.name || '#' || l.number END AS replica,
       '' AS channel,
       CASE WHEN l.state IN ('streaming', 'catchup') THEN 1 ELSE 0 END AS connected,
       -- Not before the first reply; pg_receivewal applies nothing and never tells. (greatest() ignores NULLs.)
       CASE WHEN l.replay_lsn IS NOT NULL THEN greatest(pg_wal_lsn_diff(h.lsn, l.replay_lsn), 0) END::float8 AS lag_bytes,
       -- The server forgets the lag of a replica that has nothing left to apply.
       CASE WHEN l.replay_lsn IS NULL THEN NULL
            WHEN l.state = 'streaming' AND l.replay_lsn >= h.lsn THEN 0
            ELSE extract(epoch FROM l.replay_lag)
       END::float8 AS lag_seconds,
       NULL::float8 AS last_applied
FROM link AS l
CROSS JOIN here AS h
UNION ALL
-- A slot that nobody uses is a replica that is gone, unless one of its name is there without it. (On a replica, slots may
-- be copies that nobody should use.)
SELECT k.slot_name, '', 0, NULL, NULL, NULL
FROM pg_replication_slots AS k
WHERE NOT k.active
  AND NOT k.temporary
  AND NOT pg_is_in_recovery()
  AND NOT EXISTS (SELECT FROM link AS l WHERE l.name = k.slot_name)
UNION ALL
-- On a replica. One that only replays an archive has no link, and so none that could be down. Nothing left to apply
-- says something only while the link is up.
SELECT '',
       '',
       CASE WHEN s.configured THEN s.streaming::integer END,
       CASE WHEN pg_last_wal_receive_lsn() IS NOT NULL
            THEN greatest(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)
       END::float8,
       CASE WHEN NOT s.streaming THEN NULL
            WHEN pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
            -- The primary's clock may be ahead of ours.
            WHEN clock_timestamp() < pg_last_xact_replay_timestamp() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
       END::float8,
       extract(epoch FROM pg_last_xact_replay_timestamp())::float8
FROM (
    SELECT EXISTS (SELECT FROM pg_stat_wal_receiver AS w WHERE w.status = 'streaming') AS streaming,
           NOT EXISTS (SELECT FROM pg_settings AS g WHERE g.name = 'primary_conninfo' AND g.setting = '') AS configured
) AS s
WHERE pg_is_in_recovery()
