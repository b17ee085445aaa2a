/* ---
description: Indexes that no query used on any server of the cluster for 30 days, and what they take.
scope: database
interval: 30m
timeout: 20s
needs: [pg_monitor, track_counts]
max_series: 500
top: {key: [schema_name, table_name, index_name], weight: weight, limit: 21}
agree: {key: [schema_name, table_name, index_name], replicas: replicas}
metrics:
  dbwatch_pg_index_usage_evidence_seconds: {value: evidence_seconds, labels: {database: database}}
  dbwatch_index_unused_bytes:
    value: bytes
    labels: {database: database, schema: schema_name, table: table_name, index: index_name}
--- */
-- Evidence is as old as the counters: since they were reset, or the server started (a crash loses them without a word).
-- Never listed are indexes that do more than to be read: unique ones, those under a foreign key or a partitioned index,
-- replica identities. A standby scans indexes of its own, and its counters are its own: what is listed here is what the
-- standbys list too. An index that is younger than the counters cannot be told from one that nobody wants, save by
-- track_commit_timestamp.
WITH evidence AS MATERIALIZED (
    SELECT date_part('epoch', clock_timestamp() - greatest(s.stats_reset, pg_postmaster_start_time())) AS seconds,
           (SELECT count(*)
            FROM pg_stat_replication AS r
            LEFT JOIN pg_replication_slots AS l ON l.active_pid = r.pid
            WHERE r.state IN ('streaming', 'catchup', 'startup')
              AND coalesce(l.slot_type, 'physical') = 'physical'
              AND r.application_name NOT IN ('pg_receivewal', 'pg_basebackup', 'barman_receive_wal')) AS replicas
    FROM pg_stat_database AS s
    WHERE s.datname = current_database()
),
served AS (
    SELECT k.conrelid, k.conkey
    FROM pg_constraint AS k
    WHERE k.contype = 'f'
),
unused AS (
    SELECT x.indrelid, x.indexrelid
    FROM pg_index AS x
    JOIN pg_class AS c ON c.oid = x.indexrelid
    WHERE (SELECT e.seconds FROM evidence AS e) >= 30 * 86400
      AND x.indrelid >= 16384
      AND c.relkind = 'i'
      AND NOT c.relispartition
      AND c.relpersistence <> 't'
      AND x.indisvalid
      AND x.indisready
      AND NOT x.indisunique
      AND NOT x.indisexclusion
      AND NOT x.indisreplident
      AND pg_stat_get_numscans(x.indexrelid) = 0
      AND NOT EXISTS (SELECT FROM served AS f
                      WHERE f.conrelid = x.indrelid
                        AND (string_to_array(x.indkey::text, ' ')::int2[])[1:cardinality(f.conkey)] @> f.conkey)
      AND CASE WHEN current_setting('track_commit_timestamp')::boolean
               THEN coalesce(pg_xact_commit_timestamp(x.xmin) < clock_timestamp() - interval '30 days', true)
               ELSE true END
)
SELECT NULL::name AS schema_name, NULL::name AS table_name, NULL::name AS index_name, NULL::float8 AS bytes,
       e.seconds AS evidence_seconds, e.replicas,
       1e300::float8 AS weight  -- the evidence always has its place
FROM evidence AS e
UNION ALL
SELECT n.nspname, t.relname, c.relname, c.relpages * current_setting('block_size')::float8, NULL, e.replicas,
       c.relpages::float8
FROM unused AS u
JOIN pg_class AS c ON c.oid = u.indexrelid
JOIN pg_class AS t ON t.oid = u.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
CROSS JOIN evidence AS e
WHERE t.relkind IN ('r', 'm')
