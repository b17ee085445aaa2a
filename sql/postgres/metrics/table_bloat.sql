/* ---
description: Dead and free bytes within the largest tables, read page by page (extension pgstattuple).
scope: database
role: primary
lane: heavy
interval: 12h
timeout: 120s
max_series: 500
metrics:
  dbwatch_table_bloat_bytes:
    - {value: dead_bytes, labels: {database: database, schema: schema_name, table: table_name, component: component, kind: =dead}}
    - {value: free_bytes, labels: {database: database, schema: schema_name, table: table_name, component: component, kind: =free}}
--- */
-- Pages that hold only what all may see are not read. The ten largest are looked at, but none of more than 1 GiB to read
-- (whoever wants to alter it would wait for us), and no more once 3 GiB were read; nor one that somebody alters or waits to.
-- (Version 13 does not look into TOAST.)
-- @when probe pgstattuple and postgres >= 14
WITH locked AS (
    SELECT l.relation
    FROM pg_locks AS l
    JOIN pg_database AS d ON d.oid = l.database
    WHERE d.datname = current_database()
      AND l.locktype = 'relation'
      AND l.mode = 'AccessExclusiveLock'
),
largest AS MATERIALIZED (
    SELECT c.oid, coalesce(m.relnamespace, c.relnamespace) AS schema_oid, coalesce(m.relname, c.relname) AS table_name,
           CASE c.relkind WHEN 't' THEN 'toast' ELSE 'heap' END AS component, c.relpages, c.relallvisible
    FROM pg_class AS c
    LEFT JOIN pg_class AS m ON m.reltoastrelid = c.oid AND c.relkind = 't'
    WHERE c.relkind IN ('r', 'm', 't')
      AND c.relam = 2  -- heap
      AND c.relpersistence = 'p'
      AND c.oid >= 16384
      AND c.oid NOT IN (SELECT k.relation FROM locked AS k)
      AND (m.oid IS NULL OR m.oid NOT IN (SELECT k.relation FROM locked AS k))
    ORDER BY c.relpages DESC, pg_stat_get_live_tuples(c.oid) DESC, c.oid
    LIMIT 10
),
sized AS MATERIALIZED (
    SELECT g.oid, g.schema_oid, g.table_name, g.component, g.relpages,
           greatest(pg_relation_size(g.oid) - g.relallvisible * current_setting('block_size')::bigint, 0) AS unread
    FROM largest AS g
),
chosen AS MATERIALIZED (
    SELECT z.oid, z.schema_oid, z.table_name, z.component,
           sum(z.unread) OVER (ORDER BY z.relpages DESC, z.oid) - z.unread AS read_before
    FROM sized AS z
    WHERE z.unread <= 1073741824
)
SELECT n.nspname AS schema_name,
       h.table_name,
       h.component,
       b.dead_tuple_len AS dead_bytes,
       b.approx_free_space AS free_bytes
FROM chosen AS h
JOIN pg_namespace AS n ON n.oid = h.schema_oid
CROSS JOIN LATERAL public.pgstattuple_approx(h.oid::regclass) AS b
WHERE h.read_before <= 3221225472
-- @when probe pgstattuple and postgres < 14
WITH locked AS (
    SELECT l.relation
    FROM pg_locks AS l
    JOIN pg_database AS d ON d.oid = l.database
    WHERE d.datname = current_database()
      AND l.locktype = 'relation'
      AND l.mode = 'AccessExclusiveLock'
),
largest AS MATERIALIZED (
    SELECT c.oid, coalesce(m.relnamespace, c.relnamespace) AS schema_oid, coalesce(m.relname, c.relname) AS table_name,
           CASE c.relkind WHEN 't' THEN 'toast' ELSE 'heap' END AS component, c.relpages, c.relallvisible
    FROM pg_class AS c
    LEFT JOIN pg_class AS m ON m.reltoastrelid = c.oid AND c.relkind = 't'
    WHERE c.relkind IN ('r', 'm')
      AND c.relam = 2  -- heap
      AND c.relpersistence = 'p'
      AND c.oid >= 16384
      AND c.oid NOT IN (SELECT k.relation FROM locked AS k)
      AND (m.oid IS NULL OR m.oid NOT IN (SELECT k.relation FROM locked AS k))
    ORDER BY c.relpages DESC, pg_stat_get_live_tuples(c.oid) DESC, c.oid
    LIMIT 10
),
sized AS MATERIALIZED (
    SELECT g.oid, g.schema_oid, g.table_name, g.component, g.relpages,
           greatest(pg_relation_size(g.oid) - g.relallvisible * current_setting('block_size')::bigint, 0) AS unread
    FROM largest AS g
),
chosen AS MATERIALIZED (
    SELECT z.oid, z.schema_oid, z.table_name, z.component,
           sum(z.unread) OVER (ORDER BY z.relpages DESC, z.oid) - z.unread AS read_before
    FROM sized AS z
    WHERE z.unread <= 1073741824
)
SELECT n.nspname AS schema_name,
       h.table_name,
       h.component,
       b.dead_tuple_len AS dead_bytes,
       b.approx_free_space AS free_bytes
FROM chosen AS h
JOIN pg_namespace AS n ON n.oid = h.schema_oid
CROSS JOIN LATERAL public.pgstattuple_approx(h.oid::regclass) AS b
WHERE h.read_before <= 3221225472
