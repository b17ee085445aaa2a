/* ---
description: VACUUM, ANALYZE, index builds, copies and base backups that run now, how many, how far, since when.
interval: 60s
max_series: 250
needs: [pg_monitor, track_activities]
metrics:
  dbwatch_pg_progress: {value: commands, labels: {operation: operation, phase: phase}}
  dbwatch_pg_progress_longest_seconds: {value: longest_seconds, labels: {operation: operation}}
  dbwatch_pg_progress_longest_ratio: {value: longest_ratio, labels: {operation: operation}}
  dbwatch_pg_autovacuum_workers: {value: workers, labels: {kind: kind}}
  dbwatch_pg_autovacuum_workers_max: {value: workers_max}
  dbwatch_pg_autovacuum_longest_seconds: {value: worker_seconds, labels: {kind: kind}}
  dbwatch_pg_vacuum_heap_bytes:
    - {value: heap_total, labels: {database: database, stage: =all}}
    - {value: heap_scanned, labels: {database: database, stage: =scanned}}
    - {value: heap_vacuumed, labels: {database: database, stage: =vacuumed}}
  dbwatch_pg_vacuum_dead_items: {value: dead_items, labels: {database: database}}
  dbwatch_pg_vacuum_dead_items_used_ratio: {value: dead_used, labels: {database: database}}
  dbwatch_pg_vacuum_index_passes: {value: index_passes, labels: {database: database}}
  dbwatch_pg_vacuum_indexes:
    - {value: indexes_total, labels: {database: database, stage: =all}}
    - {value: indexes_processed, labels: {database: database, stage: =vacuumed}}
  dbwatch_pg_vacuum_delay_seconds: {value: delay_seconds, labels: {database: database}}
--- */
-- @when postgres >= 18
-- A phase is a word of the server's own. Each VACUUM and ANALYZE of a table is a transaction; a CREATE INDEX
-- CONCURRENTLY is several. What a worker of autovacuum does against wraparound, the text of its query alone tells.
WITH told AS MATERIALIZED (
    SELECT 'vacuum' AS operation, v.pid, v.phase, v.heap_blks_scanned AS done, v.heap_blks_total AS whole
    FROM pg_stat_progress_vacuum AS v
    UNION ALL
    SELECT 'analyze', n.pid, n.phase, n.sample_blks_scanned, n.sample_blks_total
    FROM pg_stat_progress_analyze AS n
    UNION ALL
    SELECT 'create_index', i.pid, i.phase,
           CASE WHEN i.blocks_total > 0 THEN i.blocks_done ELSE i.tuples_done END,
           CASE WHEN i.blocks_total > 0 THEN i.blocks_total ELSE i.tuples_total END
    FROM pg_stat_progress_create_index AS i
    UNION ALL
    SELECT 'cluster', u.pid, u.phase, u.heap_blks_scanned, u.heap_blks_total
    FROM pg_stat_progress_cluster AS u
    UNION ALL
    SELECT 'copy', c.pid, '', c.bytes_processed, c.bytes_total
    FROM pg_stat_progress_copy AS c
    UNION ALL
    SELECT 'basebackup', b.pid, b.phase, b.backup_streamed, b.backup_total
    FROM pg_stat_progress_basebackup AS b
),
command AS MATERIALIZED (
    SELECT t.operation,
           regexp_replace(lower(t.phase), '[^a-z]+', '_', 'g') AS phase,
           CASE WHEN t.whole > 0 THEN least(t.done::float8 / t.whole, 1) END AS ratio,
           greatest(extract(epoch FROM clock_timestamp() - CASE WHEN t.operation IN ('vacuum', 'analyze')
                                                                THEN coalesce(a.xact_start, a.query_start)
                                                                ELSE a.query_start END), 0)::float8 AS seconds
    FROM told AS t
    JOIN pg_stat_activity AS a ON a.pid = t.pid
),
operation AS (
    SELECT o.name
    FROM (VALUES ('vacuum'), ('analyze'), ('create_index'), ('cluster'), ('copy'), ('basebackup')) AS o (name)
)
SELECT o.name AS operation,
       coalesce(c.phase, '') AS phase,
       count(c.operation) AS commands,
       NULL::float8 AS longest_seconds,
       NULL::float8 AS longest_ratio,
       '' AS kind,
       NULL::bigint AS workers,
       NULL::float8 AS worker_seconds,
       NULL::bigint AS workers_max,
       '' AS database,
       NULL::float8 AS heap_total,
       NULL::float8 AS heap_scanned,
       NULL::float8 AS heap_vacuumed,
       NULL::float8 AS dead_items,
       NULL::float8 AS dead_used,
       NULL::bigint AS index_passes,
       NULL::float8 AS indexes_total,
       NULL::float8 AS indexes_processed,
       NULL::float8 AS delay_seconds
FROM operation AS o
LEFT JOIN command AS c ON c.operation = o.name
GROUP BY o.name, c.phase
UNION ALL
(
    -- The one that has been running for the longest, and how far it is in its present phase.
    SELECT DISTINCT ON (o.name)
           o.name, '', NULL, coalesce(c.seconds, 0), c.ratio, '', NULL, NULL, NULL, '',
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM operation AS o
    LEFT JOIN command AS c ON c.operation = o.name
    ORDER BY o.name, c.seconds DESC NULLS LAST
)
UNION ALL
SELECT '', '', NULL, NULL, NULL, k.kind, count(a.pid),
       coalesce(greatest(extract(epoch FROM clock_timestamp() - min(a.xact_start)), 0), 0)::float8, NULL, '',
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (VALUES ('normal', false), ('wraparound', true)) AS k (kind, urgent)
LEFT JOIN pg_stat_activity AS a ON a.backend_type = 'autovacuum worker'
                               AND coalesce(a.query LIKE '%(to prevent wraparound)', false) = k.urgent
GROUP BY k.kind
UNION ALL
SELECT '', '', NULL, NULL, NULL, '', NULL, NULL, current_setting('autovacuum_max_workers')::bigint, '',
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
UNION ALL
SELECT '', '', NULL, NULL, NULL, '', NULL, NULL, NULL, v.datname,
       sum(s.bytes * v.heap_blks_total), sum(s.bytes * v.heap_blks_scanned), sum(s.bytes * v.heap_blks_vacuumed),
       sum(v.num_dead_item_ids::float8), max(v.dead_tuple_bytes::float8 / nullif(v.max_dead_tuple_bytes, 0)),
       max(v.index_vacuum_count), sum(v.indexes_total::float8), sum(v.indexes_processed::float8),
       CASE WHEN current_setting('track_cost_delay_timing')::boolean THEN sum(v.delay_time) / 1000 END
FROM pg_stat_progress_vacuum AS v
CROSS JOIN (SELECT current_setting('block_size')::float8 AS bytes) AS s
WHERE v.datname IS NOT NULL
GROUP BY v.datname
-- @when postgres >= 17 and postgres < 18
-- As above; the time that VACUUM waits on purpose is not counted.
WITH told AS MATERIALIZED (
    SELECT 'vacuum' AS operation, v.pid, v.phase, v.heap_blks_scanned AS done, v.heap_blks_total AS whole
    FROM pg_stat_progress_vacuum AS v
    UNION ALL
    SELECT 'analyze', n.pid, n.phase, n.sample_blks_scanned, n.sample_blks_total
    FROM pg_stat_progress_analyze AS n
    UNION ALL
    SELECT 'create_index', i.pid, i.phase,
           CASE WHEN i.blocks_total > 0 THEN i.blocks_done ELSE i.tuples_done END,
           CASE WHEN i.blocks_total > 0 THEN i.blocks_total ELSE i.tuples_total END
    FROM pg_stat_progress_create_index AS i
    UNION ALL
    SELECT 'cluster', u.pid, u.phase, u.heap_blks_scanned, u.heap_blks_total
    FROM pg_stat_progress_cluster AS u
    UNION ALL
    SELECT 'copy', c.pid, '', c.bytes_processed, c.bytes_total
    FROM pg_stat_progress_copy AS c
    UNION ALL
    SELECT 'basebackup', b.pid, b.phase, b.backup_streamed, b.backup_total
    FROM pg_stat_progress_basebackup AS b
),
command AS MATERIALIZED (
    SELECT t.operation,
           regexp_replace(lower(t.phase), '[^a-z]+', '_', 'g') AS phase,
           CASE WHEN t.whole > 0 THEN least(t.done::float8 / t.whole, 1) END AS ratio,
           greatest(extract(epoch FROM clock_timestamp() - CASE WHEN t.operation IN ('vacuum', 'analyze')
                                                                THEN coalesce(a.xact_start, a.query_start)
                                                                ELSE a.query_start END), 0)::float8 AS seconds
    FROM told AS t
    JOIN pg_stat_activity AS a ON a.pid = t.pid
),
operation AS (
    SELECT o.name
    FROM (VALUES ('vacuum'), ('analyze'), ('create_index'), ('cluster'), ('copy'), ('basebackup')) AS o (name)
)
SELECT o.name AS operation,
       coalesce(c.phase, '') AS phase,
       count(c.operation) AS commands,
       NULL::float8 AS longest_seconds,
       NULL::float8 AS longest_ratio,
       '' AS kind,
       NULL::bigint AS workers,
       NULL::float8 AS worker_seconds,
       NULL::bigint AS workers_max,
       '' AS database,
       NULL::float8 AS heap_total,
       NULL::float8 AS heap_scanned,
       NULL::float8 AS heap_vacuumed,
       NULL::float8 AS dead_items,
       NULL::float8 AS dead_used,
       NULL::bigint AS index_passes,
       NULL::float8 AS indexes_total,
       NULL::float8 AS indexes_processed,
       NULL::float8 AS delay_seconds
FROM operation AS o
LEFT JOIN command AS c ON c.operation = o.name
GROUP BY o.name, c.phase
UNION ALL
(
    -- The one that has been running for the longest, and how far it is in its present phase.
    SELECT DISTINCT ON (o.name)
           o.name, '', NULL, coalesce(c.seconds, 0), c.ratio, '', NULL, NULL, NULL, '',
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM operation AS o
    LEFT JOIN command AS c ON c.operation = o.name
    ORDER BY o.name, c.seconds DESC NULLS LAST
)
UNION ALL
SELECT '', '', NULL, NULL, NULL, k.kind, count(a.pid),
       coalesce(greatest(extract(epoch FROM clock_timestamp() - min(a.xact_start)), 0), 0)::float8, NULL, '',
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (VALUES ('normal', false), ('wraparound', true)) AS k (kind, urgent)
LEFT JOIN pg_stat_activity AS a ON a.backend_type = 'autovacuum worker'
                               AND coalesce(a.query LIKE '%(to prevent wraparound)', false) = k.urgent
GROUP BY k.kind
UNION ALL
SELECT '', '', NULL, NULL, NULL, '', NULL, NULL, current_setting('autovacuum_max_workers')::bigint, '',
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
UNION ALL
SELECT '', '', NULL, NULL, NULL, '', NULL, NULL, NULL, v.datname,
       sum(s.bytes * v.heap_blks_total), sum(s.bytes * v.heap_blks_scanned), sum(s.bytes * v.heap_blks_vacuumed),
       sum(v.num_dead_item_ids::float8), max(v.dead_tuple_bytes::float8 / nullif(v.max_dead_tuple_bytes, 0)),
       max(v.index_vacuum_count), sum(v.indexes_total::float8), sum(v.indexes_processed::float8), NULL
FROM pg_stat_progress_vacuum AS v
CROSS JOIN (SELECT current_setting('block_size')::float8 AS bytes) AS s
WHERE v.datname IS NOT NULL
GROUP BY v.datname
-- @when postgres >= 14 and postgres < 17
-- As above; room for dead rows is counted in rows, and no index is.
WITH told AS MATERIALIZED (
    SELECT 'vacuum' AS operation, v.pid, v.phase, v.heap_blks_scanned AS done, v.heap_blks_total AS whole
    FROM pg_stat_progress_vacuum AS v
    UNION ALL
    SELECT 'analyze', n.pid, n.phase, n.sample_blks_scanned, n.sample_blks_total
    FROM pg_stat_progress_analyze AS n
    UNION ALL
    SELECT 'create_index', i.pid, i.phase,
           CASE WHEN i.blocks_total > 0 THEN i.blocks_done ELSE i.tuples_done END,
           CASE WHEN i.blocks_total > 0 THEN i.blocks_total ELSE i.tuples_total END
    FROM pg_stat_progress_create_index AS i
    UNION ALL
    SELECT 'cluster', u.pid, u.phase, u.heap_blks_scanned, u.heap_blks_total
    FROM pg_stat_progress_cluster AS u
    UNION ALL
    SELECT 'copy', c.pid, '', c.bytes_processed, c.bytes_total
    FROM pg_stat_progress_copy AS c
    UNION ALL
    SELECT 'basebackup', b.pid, b.phase, b.backup_streamed, b.backup_total
    FROM pg_stat_progress_basebackup AS b
),
command AS MATERIALIZED (
    SELECT t.operation,
           regexp_replace(lower(t.phase), '[^a-z]+', '_', 'g') AS phase,
           CASE WHEN t.whole > 0 THEN least(t.done::float8 / t.whole, 1) END AS ratio,
           greatest(extract(epoch FROM clock_timestamp() - CASE WHEN t.operation IN ('vacuum', 'analyze')
                                                                THEN coalesce(a.xact_start, a.query_start)
                                                                ELSE a.query_start END), 0)::float8 AS seconds
    FROM told AS t
    JOIN pg_stat_activity AS a ON a.pid = t.pid
),
operation AS (
    SELECT o.name
    FROM (VALUES ('vacuum'), ('analyze'), ('create_index'), ('cluster'), ('copy'), ('basebackup')) AS o (name)
)
SELECT o.name AS operation,
       coalesce(c.phase, '') AS phase,
       count(c.operation) AS commands,
       NULL::float8 AS longest_seconds,
       NULL::float8 AS longest_ratio,
       '' AS kind,
       NULL::bigint AS workers,
       NULL::float8 AS worker_seconds,
       NULL::bigint AS workers_max,
       '' AS database,
       NULL::float8 AS heap_total,
       NULL::float8 AS heap_scanned,
       NULL::float8 AS heap_vacuumed,
       NULL::float8 AS dead_items,
       NULL::float8 AS dead_used,
       NULL::bigint AS index_passes,
       NULL::float8 AS indexes_total,
       NULL::float8 AS indexes_processed,
       NULL::float8 AS delay_seconds
FROM operation AS o
LEFT JOIN command AS c ON c.operation = o.name
GROUP BY o.name, c.phase
UNION ALL
(
    -- The one that has been running for the longest, and how far it is in its present phase.
    SELECT DISTINCT ON (o.name)
           o.name, '', NULL, coalesce(c.seconds, 0), c.ratio, '', NULL, NULL, NULL, '',
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM operation AS o
    LEFT JOIN command AS c ON c.operation = o.name
    ORDER BY o.name, c.seconds DESC NULLS LAST
)
UNION ALL
SELECT '', '', NULL, NULL, NULL, k.kind, count(a.pid),
       coalesce(greatest(extract(epoch FROM clock_timestamp() - min(a.xact_start)), 0), 0)::float8, NULL, '',
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (VALUES ('normal', false), ('wraparound', true)) AS k (kind, urgent)
LEFT JOIN pg_stat_activity AS a ON a.backend_type = 'autovacuum worker'
                               AND coalesce(a.query LIKE '%(to prevent wraparound)', false) = k.urgent
GROUP BY k.kind
UNION ALL
SELECT '', '', NULL, NULL, NULL, '', NULL, NULL, current_setting('autovacuum_max_workers')::bigint, '',
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
UNION ALL
SELECT '', '', NULL, NULL, NULL, '', NULL, NULL, NULL, v.datname,
       sum(s.bytes * v.heap_blks_total), sum(s.bytes * v.heap_blks_scanned), sum(s.bytes * v.heap_blks_vacuumed),
       sum(v.num_dead_tuples::float8), max(v.num_dead_tuples::float8 / nullif(v.max_dead_tuples, 0)),
       max(v.index_vacuum_count), NULL, NULL, NULL
FROM pg_stat_progress_vacuum AS v
CROSS JOIN (SELECT current_setting('block_size')::float8 AS bytes) AS s
WHERE v.datname IS NOT NULL
GROUP BY v.datname
-- @when postgres < 14
-- As above; a COPY does not tell how far it is.
WITH told AS MATERIALIZED (
    SELECT 'vacuum' AS operation, v.pid, v.phase, v.heap_blks_scanned AS done, v.heap_blks_total AS whole
    FROM pg_stat_progress_vacuum AS v
    UNION ALL
    SELECT 'analyze', n.pid, n.phase, n.sample_blks_scanned, n.sample_blks_total
    FROM pg_stat_progress_analyze AS n
    UNION ALL
    SELECT 'create_index', i.pid, i.phase,
           CASE WHEN i.blocks_total > 0 THEN i.blocks_done ELSE i.tuples_done END,
           CASE WHEN i.blocks_total > 0 THEN i.blocks_total ELSE i.tuples_total END
    FROM pg_stat_progress_create_index AS i
    UNION ALL
    SELECT 'cluster', u.pid, u.phase, u.heap_blks_scanned, u.heap_blks_total
    FROM pg_stat_progress_cluster AS u
    UNION ALL
    SELECT 'basebackup', b.pid, b.phase, b.backup_streamed, b.backup_total
    FROM pg_stat_progress_basebackup AS b
),
command AS MATERIALIZED (
    SELECT t.operation,
           regexp_replace(lower(t.phase), '[^a-z]+', '_', 'g') AS phase,
           CASE WHEN t.whole > 0 THEN least(t.done::float8 / t.whole, 1) END AS ratio,
           greatest(extract(epoch FROM clock_timestamp() - CASE WHEN t.operation IN ('vacuum', 'analyze')
                                                                THEN coalesce(a.xact_start, a.query_start)
                                                                ELSE a.query_start END), 0)::float8 AS seconds
    FROM told AS t
    JOIN pg_stat_activity AS a ON a.pid = t.pid
),
operation AS (
    SELECT o.name
    FROM (VALUES ('vacuum'), ('analyze'), ('create_index'), ('cluster'), ('basebackup')) AS o (name)
)
SELECT o.name AS operation,
       coalesce(c.phase, '') AS phase,
       count(c.operation) AS commands,
       NULL::float8 AS longest_seconds,
       NULL::float8 AS longest_ratio,
       '' AS kind,
       NULL::bigint AS workers,
       NULL::float8 AS worker_seconds,
       NULL::bigint AS workers_max,
       '' AS database,
       NULL::float8 AS heap_total,
       NULL::float8 AS heap_scanned,
       NULL::float8 AS heap_vacuumed,
       NULL::float8 AS dead_items,
       NULL::float8 AS dead_used,
       NULL::bigint AS index_passes,
       NULL::float8 AS indexes_total,
       NULL::float8 AS indexes_processed,
       NULL::float8 AS delay_seconds
FROM operation AS o
LEFT JOIN command AS c ON c.operation = o.name
GROUP BY o.name, c.phase
UNION ALL
(
    -- The one that has been running for the longest, and how far it is in its present phase.
    SELECT DISTINCT ON (o.name)
           o.name, '', NULL, coalesce(c.seconds, 0), c.ratio, '', NULL, NULL, NULL, '',
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM operation AS o
    LEFT JOIN command AS c ON c.operation = o.name
    ORDER BY o.name, c.seconds DESC NULLS LAST
)
UNION ALL
SELECT '', '', NULL, NULL, NULL, k.kind, count(a.pid),
       coalesce(greatest(extract(epoch FROM clock_timestamp() - min(a.xact_start)), 0), 0)::float8, NULL, '',
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (VALUES ('normal', false), ('wraparound', true)) AS k (kind, urgent)
LEFT JOIN pg_stat_activity AS a ON a.backend_type = 'autovacuum worker'
                               AND coalesce(a.query LIKE '%(to prevent wraparound)', false) = k.urgent
GROUP BY k.kind
UNION ALL
SELECT '', '', NULL, NULL, NULL, '', NULL, NULL, current_setting('autovacuum_max_workers')::bigint, '',
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
UNION ALL
SELECT '', '', NULL, NULL, NULL, '', NULL, NULL, NULL, v.datname,
       sum(s.bytes * v.heap_blks_total), sum(s.bytes * v.heap_blks_scanned), sum(s.bytes * v.heap_blks_vacuumed),
       sum(v.num_dead_tuples::float8), max(v.num_dead_tuples::float8 / nullif(v.max_dead_tuples, 0)),
       max(v.index_vacuum_count), NULL, NULL, NULL
FROM pg_stat_progress_vacuum AS v
CROSS JOIN (SELECT current_setting('block_size')::float8 AS bytes) AS s
WHERE v.datname IS NOT NULL
GROUP BY v.datname
