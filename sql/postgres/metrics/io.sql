/* ---
description: Reads, writes and their time by who does them and why, and the caches of transaction states (SLRU).
interval: 60s
max_series: 300
metrics:
  dbwatch_pg_io_operations_total:
    value: operations
    labels: {backend_type: backend_type, object: object, context: context, operation: operation}
  dbwatch_pg_io_bytes_total:
    value: bytes
    labels: {backend_type: backend_type, object: object, context: context, operation: operation}
  dbwatch_pg_io_seconds_total:
    value: milliseconds
    scale: 0.001
    labels: {backend_type: backend_type, object: object, context: context, operation: operation}
  dbwatch_pg_slru_hits_total: {value: slru_hits, labels: {slru: slru}}
  dbwatch_pg_slru_misses_total: {value: slru_misses, labels: {slru: slru}}
  dbwatch_pg_slru_written_total: {value: slru_written, labels: {slru: slru}}
--- */
-- @when postgres >= 18
-- Only what happened at least once: of some 500 combinations that leaves 50, and nothing of single-user mode, where
-- initdb works. WAL is the collector `wal`'s.
SELECT replace(s.backend_type, ' ', '_') AS backend_type,
       replace(s.object, ' ', '_') AS object,
       s.context,
       o.operation,
       o.operations,
       o.bytes::float8 AS bytes,
       CASE WHEN current_setting('track_io_timing')::boolean THEN o.milliseconds END AS milliseconds,
       '' AS slru,
       NULL::bigint AS slru_hits,
       NULL::bigint AS slru_misses,
       NULL::bigint AS slru_written
FROM pg_stat_io AS s
CROSS JOIN LATERAL (
    VALUES ('read', s.reads, s.read_bytes, s.read_time),
           ('write', s.writes, s.write_bytes, s.write_time),
           ('extend', s.extends, s.extend_bytes, s.extend_time),
           ('writeback', s.writebacks, NULL, s.writeback_time),
           ('fsync', s.fsyncs, NULL, s.fsync_time),
           ('hit', s.hits, NULL, NULL),
           ('eviction', s.evictions, NULL, NULL),
           ('reuse', s.reuses, NULL, NULL)
) AS o (operation, operations, bytes, milliseconds)
WHERE o.operations > 0
  AND s.backend_type <> 'standalone backend'
  AND s.object <> 'wal'
UNION ALL
SELECT '', '', '', '', NULL, NULL, NULL,
       r.name,
       r.blks_hit, r.blks_read, r.blks_written
FROM pg_stat_slru AS r
WHERE r.blks_hit + r.blks_read + r.blks_written > 0
-- @when postgres = 17
-- As above; an operation has a fixed size.
SELECT replace(s.backend_type, ' ', '_') AS backend_type,
       replace(s.object, ' ', '_') AS object,
       s.context,
       o.operation,
       o.operations,
       o.bytes::float8 AS bytes,
       CASE WHEN current_setting('track_io_timing')::boolean THEN o.milliseconds END AS milliseconds,
       '' AS slru,
       NULL::bigint AS slru_hits,
       NULL::bigint AS slru_misses,
       NULL::bigint AS slru_written
FROM pg_stat_io AS s
CROSS JOIN LATERAL (
    VALUES ('read', s.reads, s.reads * s.op_bytes, s.read_time),
           ('write', s.writes, s.writes * s.op_bytes, s.write_time),
           ('extend', s.extends, s.extends * s.op_bytes, s.extend_time),
           ('writeback', s.writebacks, NULL, s.writeback_time),
           ('fsync', s.fsyncs, NULL, s.fsync_time),
           ('hit', s.hits, NULL, NULL),
           ('eviction', s.evictions, NULL, NULL),
           ('reuse', s.reuses, NULL, NULL)
) AS o (operation, operations, bytes, milliseconds)
WHERE o.operations > 0
  AND s.backend_type <> 'standalone backend'
UNION ALL
SELECT '', '', '', '', NULL, NULL, NULL,
       r.name,
       r.blks_hit, r.blks_read, r.blks_written
FROM pg_stat_slru AS r
WHERE r.blks_hit + r.blks_read + r.blks_written > 0
-- @when postgres = 16
-- As above; the caches had other names.
SELECT replace(s.backend_type, ' ', '_') AS backend_type,
       replace(s.object, ' ', '_') AS object,
       s.context,
       o.operation,
       o.operations,
       o.bytes::float8 AS bytes,
       CASE WHEN current_setting('track_io_timing')::boolean THEN o.milliseconds END AS milliseconds,
       '' AS slru,
       NULL::bigint AS slru_hits,
       NULL::bigint AS slru_misses,
       NULL::bigint AS slru_written
FROM pg_stat_io AS s
CROSS JOIN LATERAL (
    VALUES ('read', s.reads, s.reads * s.op_bytes, s.read_time),
           ('write', s.writes, s.writes * s.op_bytes, s.write_time),
           ('extend', s.extends, s.extends * s.op_bytes, s.extend_time),
           ('writeback', s.writebacks, NULL, s.writeback_time),
           ('fsync', s.fsyncs, NULL, s.fsync_time),
           ('hit', s.hits, NULL, NULL),
           ('eviction', s.evictions, NULL, NULL),
           ('reuse', s.reuses, NULL, NULL)
) AS o (operation, operations, bytes, milliseconds)
WHERE o.operations > 0
  AND s.backend_type <> 'standalone backend'
UNION ALL
SELECT '', '', '', '', NULL, NULL, NULL,
       CASE r.name
           WHEN 'CommitTs' THEN 'commit_timestamp'
           WHEN 'MultiXactMember' THEN 'multixact_member'
           WHEN 'MultiXactOffset' THEN 'multixact_offset'
           WHEN 'Serial' THEN 'serializable'
           WHEN 'Subtrans' THEN 'subtransaction'
           WHEN 'Xact' THEN 'transaction'
           ELSE lower(r.name)
       END,
       r.blks_hit, r.blks_read, r.blks_written
FROM pg_stat_slru AS r
WHERE r.blks_hit + r.blks_read + r.blks_written > 0
-- @when postgres < 16
-- Who reads and writes is told since PostgreSQL 16.
SELECT '' AS backend_type,
       '' AS object,
       '' AS context,
       '' AS operation,
       NULL::bigint AS operations,
       NULL::float8 AS bytes,
       NULL::float8 AS milliseconds,
       CASE r.name
           WHEN 'CommitTs' THEN 'commit_timestamp'
           WHEN 'MultiXactMember' THEN 'multixact_member'
           WHEN 'MultiXactOffset' THEN 'multixact_offset'
           WHEN 'Serial' THEN 'serializable'
           WHEN 'Subtrans' THEN 'subtransaction'
           WHEN 'Xact' THEN 'transaction'
           ELSE lower(r.name)
       END AS slru,
       r.blks_hit AS slru_hits,
       r.blks_read AS slru_misses,
       r.blks_written AS slru_written
FROM pg_stat_slru AS r
WHERE r.blks_hit + r.blks_read + r.blks_written > 0
