/* ---
description: How full the leaves of the largest B-tree indexes are, and what they waste (extension pgstattuple).
scope: database
role: primary
lane: heavy
interval: 12h
timeout: 120s
max_series: 500
metrics:
  dbwatch_index_bloat_bytes:
    value: bloat_bytes
    labels: {database: database, schema: schema_name, table: table_name, index: index_name}
  dbwatch_pg_index_leaf_density_ratio:
    value: leaf_density
    labels: {database: database, schema: schema_name, table: table_name, index: index_name}
--- */
-- Every page of an index is read: the ten largest of at most 1 GiB are, until 3 GiB were read, and none whose table
-- somebody alters or waits to. Bloat is what a REINDEX gives back: pages without entries, and leaves less full than the
-- index's fillfactor (90 % by default).
-- @when probe pgstattuple
WITH locked AS (
    SELECT l.relation
    FROM pg_locks AS l
    JOIN pg_database AS d ON d.oid = l.database
    WHERE d.datname = current_database()
      AND l.locktype = 'relation'
      AND l.mode = 'AccessExclusiveLock'
),
largest AS MATERIALIZED (
    SELECT c.oid, t.relnamespace AS schema_oid, t.relname AS table_name, c.relname AS index_name, c.relpages,
           coalesce((SELECT o.option_value::float8
                     FROM pg_options_to_table(c.reloptions) AS o
                     WHERE o.option_name = 'fillfactor'), 90) / 100 AS wanted_density
    FROM pg_index AS x
    JOIN pg_class AS c ON c.oid = x.indexrelid
    JOIN pg_class AS t ON t.oid = x.indrelid
    WHERE c.relkind = 'i'
      AND c.relam = 403  -- btree
      AND c.relpersistence = 'p'
      AND t.relkind IN ('r', 'm')
      AND x.indisvalid
      AND x.indrelid >= 16384
      AND c.relpages <= 131072
      AND c.oid NOT IN (SELECT k.relation FROM locked AS k)
      AND t.oid NOT IN (SELECT k.relation FROM locked AS k)
    ORDER BY c.relpages DESC, c.oid
    LIMIT 10
),
sized AS MATERIALIZED (
    SELECT g.oid, g.schema_oid, g.table_name, g.index_name, g.relpages, g.wanted_density, pg_relation_size(g.oid) AS bytes
    FROM largest AS g
),
chosen AS MATERIALIZED (
    SELECT z.oid, z.schema_oid, z.table_name, z.index_name, z.wanted_density,
           sum(z.bytes) OVER (ORDER BY z.relpages DESC, z.oid) - z.bytes AS read_before
    FROM sized AS z
    WHERE z.bytes <= 1073741824
)
SELECT n.nspname AS schema_name,
       h.table_name,
       h.index_name,
       nullif(b.avg_leaf_density, 'NaN') / 100 AS leaf_density,
       current_setting('block_size')::float8
       * (b.empty_pages + b.deleted_pages
          + coalesce(b.leaf_pages * greatest(0, 1 - nullif(b.avg_leaf_density, 'NaN') / 100 / h.wanted_density), 0))
           AS bloat_bytes
FROM chosen AS h
JOIN pg_namespace AS n ON n.oid = h.schema_oid
CROSS JOIN LATERAL public.pgstatindex(h.oid::regclass) AS b
WHERE h.read_before <= 3221225472
