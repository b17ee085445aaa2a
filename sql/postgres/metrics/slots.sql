/* ---
description: Replication slots, who uses them, the log they hold back, and what decoding did.
interval: 60s
max_series: 600
metrics:
  dbwatch_pg_slots:
    - {value: physical_slots, labels: {type: =physical}}
    - {value: logical_slots, labels: {type: =logical}}
  dbwatch_pg_slot_active: {value: active, labels: {slot: slot}}
  dbwatch_pg_slot_retained_bytes: {value: retained_bytes, labels: {slot: slot}}
  dbwatch_pg_slot_safe_bytes: {value: safe_bytes, labels: {slot: slot}}
  dbwatch_pg_slot_wal_status:
    - {value: is_reserved, labels: {slot: slot, status: =reserved}}
    - {value: is_extended, labels: {slot: slot, status: =extended}}
    - {value: is_unreserved, labels: {slot: slot, status: =unreserved}}
    - {value: is_lost, labels: {slot: slot, status: =lost}}
  dbwatch_pg_slot_invalidated: {value: invalidated, labels: {slot: slot, reason: reason}}
  dbwatch_pg_slot_unconfirmed_bytes: {value: unconfirmed_bytes, labels: {slot: slot}}
  dbwatch_pg_slot_inactive_since_timestamp_seconds: {value: inactive_since, labels: {slot: slot}}
  dbwatch_pg_slot_oldest_xids:
    - {value: data_xids, labels: {slot: slot, kind: =data}}
    - {value: catalog_xids, labels: {slot: slot, kind: =catalog}}
  dbwatch_pg_slot_info:
    value: one
    labels:
      {slot: slot, type: type, database: database, plugin: plugin, two_phase: two_phase, failover: failover, synced: synced}
  dbwatch_pg_slot_decoded_transactions_total:
    - {value: total_txns, labels: {slot: slot, kind: =all}}
    - {value: spill_txns, labels: {slot: slot, kind: =spilled}}
    - {value: stream_txns, labels: {slot: slot, kind: =streamed}}
  dbwatch_pg_slot_decoded_bytes_total:
    - {value: total_bytes, labels: {slot: slot, kind: =all}}
    - {value: spill_bytes, labels: {slot: slot, kind: =spilled}}
    - {value: stream_bytes, labels: {slot: slot, kind: =streamed}}
  dbwatch_pg_slot_decoding_passes_total:
    - {value: spill_count, labels: {slot: slot, kind: =spilled}}
    - {value: stream_count, labels: {slot: slot, kind: =streamed}}
--- */
-- @when postgres >= 17
-- A temporary slot (of pg_basebackup, of a first copy) is counted and not named: it dies with its session, and its
-- name is another each time. The position of a server that replays is what it received itself. A slot that can never be
-- used again still shows the transactions that it needed, and where it stood; neither VACUUM nor a checkpoint heeds them.
WITH here AS MATERIALIZED (
    SELECT CASE WHEN pg_is_in_recovery()
                THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_lsn()
           END AS lsn
),
slot AS MATERIALIZED (
    SELECT k.slot_name, k.slot_type, k.temporary, k.active, k.plugin, k.database, k.xmin, k.catalog_xmin,
           k.restart_lsn, k.confirmed_flush_lsn, k.wal_status, k.safe_wal_size,
           CASE WHEN k.two_phase THEN 'yes' ELSE 'no' END AS two_phase,
           CASE WHEN k.failover THEN 'yes' ELSE 'no' END AS failover,
           CASE WHEN k.synced THEN 'yes' ELSE 'no' END AS synced,
           extract(epoch FROM k.inactive_since)::float8 AS inactive_since,
           k.invalidation_reason AS reason
    FROM pg_replication_slots AS k
)
SELECT s.slot_name AS slot,
       s.slot_type AS type,
       coalesce(s.database, '') AS database,
       coalesce(s.plugin, '') AS plugin,
       s.two_phase,
       s.failover,
       s.synced,
       1 AS one,
       -- A copy kept in step with the primary's slot is for nobody to use before a failover.
       CASE WHEN s.synced IS DISTINCT FROM 'yes' THEN s.active END AS active,
       CASE WHEN s.restart_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
            THEN greatest(pg_wal_lsn_diff(h.lsn, s.restart_lsn), 0) END::float8 AS retained_bytes,
       CASE WHEN s.safe_wal_size IS NOT NULL THEN greatest(s.safe_wal_size, 0) END AS safe_bytes,
       s.wal_status = 'reserved' AS is_reserved,
       s.wal_status = 'extended' AS is_extended,
       s.wal_status = 'unreserved' AS is_unreserved,
       s.wal_status = 'lost' AS is_lost,
       s.reason IS NOT NULL AS invalidated,
       coalesce(s.reason, '') AS reason,
       CASE WHEN s.confirmed_flush_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
            THEN greatest(pg_wal_lsn_diff(h.lsn, s.confirmed_flush_lsn), 0) END::float8 AS unconfirmed_bytes,
       s.inactive_since,
       CASE WHEN s.xmin IS NOT NULL AND s.reason IS NULL THEN greatest(age(s.xmin), 0) END AS data_xids,
       CASE WHEN s.catalog_xmin IS NOT NULL AND s.reason IS NULL THEN greatest(age(s.catalog_xmin), 0) END AS catalog_xids,
       t.total_txns,
       t.spill_txns,
       t.stream_txns,
       t.total_bytes,
       t.spill_bytes,
       t.stream_bytes,
       t.spill_count,
       t.stream_count,
       NULL::bigint AS physical_slots,
       NULL::bigint AS logical_slots
FROM slot AS s
CROSS JOIN here AS h
LEFT JOIN pg_stat_replication_slots AS t ON t.slot_name = s.slot_name
WHERE NOT s.temporary
UNION ALL
SELECT '', '', '', '', '', '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       count(*) FILTER (WHERE s.slot_type = 'physical'),
       count(*) FILTER (WHERE s.slot_type = 'logical')
FROM slot AS s
-- @when postgres >= 16 and postgres < 17
-- As above; a slot that conflicts with recovery does not tell why.
WITH here AS MATERIALIZED (
    SELECT CASE WHEN pg_is_in_recovery()
                THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_lsn()
           END AS lsn
),
slot AS MATERIALIZED (
    SELECT k.slot_name, k.slot_type, k.temporary, k.active, k.plugin, k.database, k.xmin, k.catalog_xmin,
           k.restart_lsn, k.confirmed_flush_lsn, k.wal_status, k.safe_wal_size,
           CASE WHEN k.two_phase THEN 'yes' ELSE 'no' END AS two_phase,
           '' AS failover,
           '' AS synced,
           NULL::float8 AS inactive_since,
           CASE WHEN k.conflicting THEN 'conflict' WHEN k.wal_status = 'lost' THEN 'wal_removed' END AS reason
    FROM pg_replication_slots AS k
)
SELECT s.slot_name AS slot,
       s.slot_type AS type,
       coalesce(s.database, '') AS database,
       coalesce(s.plugin, '') AS plugin,
       s.two_phase,
       s.failover,
       s.synced,
       1 AS one,
       -- A copy kept in step with the primary's slot is for nobody to use before a failover.
       CASE WHEN s.synced IS DISTINCT FROM 'yes' THEN s.active END AS active,
       CASE WHEN s.restart_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
            THEN greatest(pg_wal_lsn_diff(h.lsn, s.restart_lsn), 0) END::float8 AS retained_bytes,
       CASE WHEN s.safe_wal_size IS NOT NULL THEN greatest(s.safe_wal_size, 0) END AS safe_bytes,
       s.wal_status = 'reserved' AS is_reserved,
       s.wal_status = 'extended' AS is_extended,
       s.wal_status = 'unreserved' AS is_unreserved,
       s.wal_status = 'lost' AS is_lost,
       s.reason IS NOT NULL AS invalidated,
       coalesce(s.reason, '') AS reason,
       CASE WHEN s.confirmed_flush_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
            THEN greatest(pg_wal_lsn_diff(h.lsn, s.confirmed_flush_lsn), 0) END::float8 AS unconfirmed_bytes,
       s.inactive_since,
       CASE WHEN s.xmin IS NOT NULL AND s.reason IS NULL THEN greatest(age(s.xmin), 0) END AS data_xids,
       CASE WHEN s.catalog_xmin IS NOT NULL AND s.reason IS NULL THEN greatest(age(s.catalog_xmin), 0) END AS catalog_xids,
       t.total_txns,
       t.spill_txns,
       t.stream_txns,
       t.total_bytes,
       t.spill_bytes,
       t.stream_bytes,
       t.spill_count,
       t.stream_count,
       NULL::bigint AS physical_slots,
       NULL::bigint AS logical_slots
FROM slot AS s
CROSS JOIN here AS h
LEFT JOIN pg_stat_replication_slots AS t ON t.slot_name = s.slot_name
WHERE NOT s.temporary
UNION ALL
SELECT '', '', '', '', '', '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       count(*) FILTER (WHERE s.slot_type = 'physical'),
       count(*) FILTER (WHERE s.slot_type = 'logical')
FROM slot AS s
-- @when postgres >= 14 and postgres < 16
-- As above; only the removal of its log makes a slot invalid.
WITH here AS MATERIALIZED (
    SELECT CASE WHEN pg_is_in_recovery()
                THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_lsn()
           END AS lsn
),
slot AS MATERIALIZED (
    SELECT k.slot_name, k.slot_type, k.temporary, k.active, k.plugin, k.database, k.xmin, k.catalog_xmin,
           k.restart_lsn, k.confirmed_flush_lsn, k.wal_status, k.safe_wal_size,
           CASE WHEN k.two_phase THEN 'yes' ELSE 'no' END AS two_phase,
           '' AS failover,
           '' AS synced,
           NULL::float8 AS inactive_since,
           CASE WHEN k.wal_status = 'lost' THEN 'wal_removed' END AS reason
    FROM pg_replication_slots AS k
)
SELECT s.slot_name AS slot,
       s.slot_type AS type,
       coalesce(s.database, '') AS database,
       coalesce(s.plugin, '') AS plugin,
       s.two_phase,
       s.failover,
       s.synced,
       1 AS one,
       -- A copy kept in step with the primary's slot is for nobody to use before a failover.
       CASE WHEN s.synced IS DISTINCT FROM 'yes' THEN s.active END AS active,
       CASE WHEN s.restart_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
            THEN greatest(pg_wal_lsn_diff(h.lsn, s.restart_lsn), 0) END::float8 AS retained_bytes,
       CASE WHEN s.safe_wal_size IS NOT NULL THEN greatest(s.safe_wal_size, 0) END AS safe_bytes,
       s.wal_status = 'reserved' AS is_reserved,
       s.wal_status = 'extended' AS is_extended,
       s.wal_status = 'unreserved' AS is_unreserved,
       s.wal_status = 'lost' AS is_lost,
       s.reason IS NOT NULL AS invalidated,
       coalesce(s.reason, '') AS reason,
       CASE WHEN s.confirmed_flush_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
            THEN greatest(pg_wal_lsn_diff(h.lsn, s.confirmed_flush_lsn), 0) END::float8 AS unconfirmed_bytes,
       s.inactive_since,
       CASE WHEN s.xmin IS NOT NULL AND s.reason IS NULL THEN greatest(age(s.xmin), 0) END AS data_xids,
       CASE WHEN s.catalog_xmin IS NOT NULL AND s.reason IS NULL THEN greatest(age(s.catalog_xmin), 0) END AS catalog_xids,
       t.total_txns,
       t.spill_txns,
       t.stream_txns,
       t.total_bytes,
       t.spill_bytes,
       t.stream_bytes,
       t.spill_count,
       t.stream_count,
       NULL::bigint AS physical_slots,
       NULL::bigint AS logical_slots
FROM slot AS s
CROSS JOIN here AS h
LEFT JOIN pg_stat_replication_slots AS t ON t.slot_name = s.slot_name
WHERE NOT s.temporary
UNION ALL
SELECT '', '', '', '', '', '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       count(*) FILTER (WHERE s.slot_type = 'physical'),
       count(*) FILTER (WHERE s.slot_type = 'logical')
FROM slot AS s
-- @when postgres < 14
-- As above; what decoding did is not counted.
WITH here AS MATERIALIZED (
    SELECT CASE WHEN pg_is_in_recovery()
                THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_lsn()
           END AS lsn
),
slot AS MATERIALIZED (
    SELECT k.slot_name, k.slot_type, k.temporary, k.active, k.plugin, k.database, k.xmin, k.catalog_xmin,
           k.restart_lsn, k.confirmed_flush_lsn, k.wal_status, k.safe_wal_size,
           '' AS two_phase,
           '' AS failover,
           '' AS synced,
           NULL::float8 AS inactive_since,
           CASE WHEN k.wal_status = 'lost' THEN 'wal_removed' END AS reason
    FROM pg_replication_slots AS k
)
SELECT s.slot_name AS slot,
       s.slot_type AS type,
       coalesce(s.database, '') AS database,
       coalesce(s.plugin, '') AS plugin,
       s.two_phase,
       s.failover,
       s.synced,
       1 AS one,
       -- A copy kept in step with the primary's slot is for nobody to use before a failover.
       CASE WHEN s.synced IS DISTINCT FROM 'yes' THEN s.active END AS active,
       CASE WHEN s.restart_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
            THEN greatest(pg_wal_lsn_diff(h.lsn, s.restart_lsn), 0) END::float8 AS retained_bytes,
       CASE WHEN s.safe_wal_size IS NOT NULL THEN greatest(s.safe_wal_size, 0) END AS safe_bytes,
       s.wal_status = 'reserved' AS is_reserved,
       s.wal_status = 'extended' AS is_extended,
       s.wal_status = 'unreserved' AS is_unreserved,
       s.wal_status = 'lost' AS is_lost,
       s.reason IS NOT NULL AS invalidated,
       coalesce(s.reason, '') AS reason,
       CASE WHEN s.confirmed_flush_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
            THEN greatest(pg_wal_lsn_diff(h.lsn, s.confirmed_flush_lsn), 0) END::float8 AS unconfirmed_bytes,
       s.inactive_since,
       CASE WHEN s.xmin IS NOT NULL AND s.reason IS NULL THEN greatest(age(s.xmin), 0) END AS data_xids,
       CASE WHEN s.catalog_xmin IS NOT NULL AND s.reason IS NULL THEN greatest(age(s.catalog_xmin), 0) END AS catalog_xids,
       NULL::bigint AS total_txns,
       NULL::bigint AS spill_txns,
       NULL::bigint AS stream_txns,
       NULL::bigint AS total_bytes,
       NULL::bigint AS spill_bytes,
       NULL::bigint AS stream_bytes,
       NULL::bigint AS spill_count,
       NULL::bigint AS stream_count,
       NULL::bigint AS physical_slots,
       NULL::bigint AS logical_slots
FROM slot AS s
CROSS JOIN here AS h
WHERE NOT s.temporary
UNION ALL
SELECT '', '', '', '', '', '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       count(*) FILTER (WHERE s.slot_type = 'physical'),
       count(*) FILTER (WHERE s.slot_type = 'logical')
FROM slot AS s
