/* ---
description: Logical subscriptions, their workers, what arrives, errors and conflicts.
interval: 60s
role: primary
max_series: 500
metrics:
  dbwatch_pg_subscription_enabled: {value: enabled, labels: {database: database, subscription: subscription}}
  dbwatch_pg_subscription_workers:
    - {value: apply_workers, labels: {database: database, subscription: subscription, type: =apply}}
    - {value: parallel_workers, labels: {database: database, subscription: subscription, type: =parallel_apply}}
    - {value: sync_workers, labels: {database: database, subscription: subscription, type: =table_sync}}
  dbwatch_pg_subscription_received_bytes_total:
    {value: received_bytes, labels: {database: database, subscription: subscription}}
  dbwatch_pg_subscription_last_event_timestamp_seconds:
    - {value: sent, labels: {database: database, subscription: subscription, event: =sent}}
    - {value: received, labels: {database: database, subscription: subscription, event: =received}}
    - {value: reported, labels: {database: database, subscription: subscription, event: =reported}}
  dbwatch_pg_subscription_errors_total:
    - {value: apply_errors, labels: {database: database, subscription: subscription, phase: =apply}}
    - {value: sync_errors, labels: {database: database, subscription: subscription, phase: =table_sync}}
  dbwatch_pg_subscription_conflicts_total:
    - {value: insert_exists, labels: {database: database, subscription: subscription, kind: =insert_exists}}
    - {value: update_origin_differs, labels: {database: database, subscription: subscription, kind: =update_origin_differs}}
    - {value: update_exists, labels: {database: database, subscription: subscription, kind: =update_exists}}
    - {value: update_missing, labels: {database: database, subscription: subscription, kind: =update_missing}}
    - {value: delete_origin_differs, labels: {database: database, subscription: subscription, kind: =delete_origin_differs}}
    - {value: delete_missing, labels: {database: database, subscription: subscription, kind: =delete_missing}}
    - {value: multiple_unique, labels: {database: database, subscription: subscription, kind: =multiple_unique}}
--- */
-- @when postgres >= 18
-- Never how a subscription connects. A worker is found by its name and its database: the oid of a subscription is
-- public only since version 14, and two databases may have one of the same name.
WITH worker AS MATERIALIZED (
    SELECT s.subname, a.datid, s.received_lsn, s.last_msg_send_time, s.last_msg_receipt_time, s.latest_end_time,
           CASE WHEN s.relid IS NOT NULL THEN 'table_sync'
                WHEN s.leader_pid IS NOT NULL THEN 'parallel_apply'
                ELSE 'apply' END AS type
    FROM pg_stat_subscription AS s
    JOIN pg_stat_activity AS a ON a.pid = s.pid
)
SELECT d.datname AS database,
       p.subname AS subscription,
       p.subenabled AS enabled,
       (SELECT count(*) FROM worker AS n WHERE n.subname = p.subname AND n.datid = p.subdbid AND n.type = 'apply')
           AS apply_workers,
       (SELECT count(*) FROM worker AS n WHERE n.subname = p.subname AND n.datid = p.subdbid AND n.type = 'parallel_apply')
           AS parallel_workers,
       (SELECT count(*) FROM worker AS n WHERE n.subname = p.subname AND n.datid = p.subdbid AND n.type = 'table_sync')
           AS sync_workers,
       pg_wal_lsn_diff(w.received_lsn, '0/0')::float8 AS received_bytes,
       extract(epoch FROM w.last_msg_send_time)::float8 AS sent,
       extract(epoch FROM w.last_msg_receipt_time)::float8 AS received,
       extract(epoch FROM w.latest_end_time)::float8 AS reported,
       t.apply_error_count AS apply_errors,
       t.sync_error_count AS sync_errors,
       t.confl_insert_exists AS insert_exists,
       t.confl_update_origin_differs AS update_origin_differs,
       t.confl_update_exists AS update_exists,
       t.confl_update_missing AS update_missing,
       t.confl_delete_origin_differs AS delete_origin_differs,
       t.confl_delete_missing AS delete_missing,
       t.confl_multiple_unique_conflicts AS multiple_unique
FROM pg_subscription AS p
JOIN pg_database AS d ON d.oid = p.subdbid
LEFT JOIN worker AS w ON w.subname = p.subname AND w.datid = p.subdbid AND w.type = 'apply'
LEFT JOIN pg_stat_subscription_stats AS t ON t.subid = p.oid
-- @when postgres >= 16 and postgres < 18
-- As above; conflicts are not counted.
WITH worker AS MATERIALIZED (
    SELECT s.subname, a.datid, s.received_lsn, s.last_msg_send_time, s.last_msg_receipt_time, s.latest_end_time,
           CASE WHEN s.relid IS NOT NULL THEN 'table_sync'
                WHEN s.leader_pid IS NOT NULL THEN 'parallel_apply'
                ELSE 'apply' END AS type
    FROM pg_stat_subscription AS s
    JOIN pg_stat_activity AS a ON a.pid = s.pid
)
SELECT d.datname AS database,
       p.subname AS subscription,
       p.subenabled AS enabled,
       (SELECT count(*) FROM worker AS n WHERE n.subname = p.subname AND n.datid = p.subdbid AND n.type = 'apply')
           AS apply_workers,
       (SELECT count(*) FROM worker AS n WHERE n.subname = p.subname AND n.datid = p.subdbid AND n.type = 'parallel_apply')
           AS parallel_workers,
       (SELECT count(*) FROM worker AS n WHERE n.subname = p.subname AND n.datid = p.subdbid AND n.type = 'table_sync')
           AS sync_workers,
       pg_wal_lsn_diff(w.received_lsn, '0/0')::float8 AS received_bytes,
       extract(epoch FROM w.last_msg_send_time)::float8 AS sent,
       extract(epoch FROM w.last_msg_receipt_time)::float8 AS received,
       extract(epoch FROM w.latest_end_time)::float8 AS reported,
       t.apply_error_count AS apply_errors,
       t.sync_error_count AS sync_errors,
       NULL::bigint AS insert_exists,
       NULL::bigint AS update_origin_differs,
       NULL::bigint AS update_exists,
       NULL::bigint AS update_missing,
       NULL::bigint AS delete_origin_differs,
       NULL::bigint AS delete_missing,
       NULL::bigint AS multiple_unique
FROM pg_subscription AS p
JOIN pg_database AS d ON d.oid = p.subdbid
LEFT JOIN worker AS w ON w.subname = p.subname AND w.datid = p.subdbid AND w.type = 'apply'
LEFT JOIN pg_stat_subscription_stats AS t ON t.subid = p.oid
-- @when postgres >= 15 and postgres < 16
-- As above; one worker applies it all.
WITH worker AS MATERIALIZED (
    SELECT s.subname, a.datid, s.received_lsn, s.last_msg_send_time, s.last_msg_receipt_time, s.latest_end_time,
           CASE WHEN s.relid IS NOT NULL THEN 'table_sync' ELSE 'apply' END AS type
    FROM pg_stat_subscription AS s
    JOIN pg_stat_activity AS a ON a.pid = s.pid
)
SELECT d.datname AS database,
       p.subname AS subscription,
       p.subenabled AS enabled,
       (SELECT count(*) FROM worker AS n WHERE n.subname = p.subname AND n.datid = p.subdbid AND n.type = 'apply')
           AS apply_workers,
       NULL::bigint AS parallel_workers,
       (SELECT count(*) FROM worker AS n WHERE n.subname = p.subname AND n.datid = p.subdbid AND n.type = 'table_sync')
           AS sync_workers,
       pg_wal_lsn_diff(w.received_lsn, '0/0')::float8 AS received_bytes,
       extract(epoch FROM w.last_msg_send_time)::float8 AS sent,
       extract(epoch FROM w.last_msg_receipt_time)::float8 AS received,
       extract(epoch FROM w.latest_end_time)::float8 AS reported,
       t.apply_error_count AS apply_errors,
       t.sync_error_count AS sync_errors,
       NULL::bigint AS insert_exists,
       NULL::bigint AS update_origin_differs,
       NULL::bigint AS update_exists,
       NULL::bigint AS update_missing,
       NULL::bigint AS delete_origin_differs,
       NULL::bigint AS delete_missing,
       NULL::bigint AS multiple_unique
FROM pg_subscription AS p
JOIN pg_database AS d ON d.oid = p.subdbid
LEFT JOIN worker AS w ON w.subname = p.subname AND w.datid = p.subdbid AND w.type = 'apply'
LEFT JOIN pg_stat_subscription_stats AS t ON t.subid = p.oid
-- @when postgres < 15
-- As above; errors are not counted.
WITH worker AS MATERIALIZED (
    SELECT s.subname, a.datid, s.received_lsn, s.last_msg_send_time, s.last_msg_receipt_time, s.latest_end_time,
           CASE WHEN s.relid IS NOT NULL THEN 'table_sync' ELSE 'apply' END AS type
    FROM pg_stat_subscription AS s
    JOIN pg_stat_activity AS a ON a.pid = s.pid
)
SELECT d.datname AS database,
       p.subname AS subscription,
       p.subenabled AS enabled,
       (SELECT count(*) FROM worker AS n WHERE n.subname = p.subname AND n.datid = p.subdbid AND n.type = 'apply')
           AS apply_workers,
       NULL::bigint AS parallel_workers,
       (SELECT count(*) FROM worker AS n WHERE n.subname = p.subname AND n.datid = p.subdbid AND n.type = 'table_sync')
           AS sync_workers,
       pg_wal_lsn_diff(w.received_lsn, '0/0')::float8 AS received_bytes,
       extract(epoch FROM w.last_msg_send_time)::float8 AS sent,
       extract(epoch FROM w.last_msg_receipt_time)::float8 AS received,
       extract(epoch FROM w.latest_end_time)::float8 AS reported,
       NULL::bigint AS apply_errors,
       NULL::bigint AS sync_errors,
       NULL::bigint AS insert_exists,
       NULL::bigint AS update_origin_differs,
       NULL::bigint AS update_exists,
       NULL::bigint AS update_missing,
       NULL::bigint AS delete_origin_differs,
       NULL::bigint AS delete_missing,
       NULL::bigint AS multiple_unique
FROM pg_subscription AS p
JOIN pg_database AS d ON d.oid = p.subdbid
LEFT JOIN worker AS w ON w.subname = p.subname AND w.datid = p.subdbid AND w.type = 'apply'
