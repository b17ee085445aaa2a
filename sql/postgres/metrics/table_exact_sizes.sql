/* ---
description: Size on disk of the largest tables as the file system has it now; asked only where it is switched on.
scope: database
interval: 30m
timeout: 30s
enabled: false
max_series: 5000
top: {key: [schema_name, table_name], weight: total_bytes, limit: 50}
metrics:
  dbwatch_pg_table_exact_size_bytes:
    - {value: heap_bytes, labels: {database: database, schema: schema_name, table: table_name, component: =heap}}
    - {value: map_bytes, labels: {database: database, schema: schema_name, table: table_name, component: =map}}
    - {value: index_bytes, labels: {database: database, schema: schema_name, table: table_name, component: =index}}
    - {value: toast_bytes, labels: {database: database, schema: schema_name, table: table_name, component: =toast}}
--- */
-- These functions open each relation and wait for whoever alters it: one that somebody alters or waits to alter is left
-- out, and only the 200 that were largest at their last VACUUM or ANALYZE are opened. `map` is free space and visibility.
WITH locked AS (
    SELECT l.relation
    FROM pg_locks AS l
    JOIN pg_database AS d ON d.oid = l.database
    WHERE d.datname = current_database()
      AND l.locktype = 'relation'
      AND l.mode = 'AccessExclusiveLock'
),
held AS (
    SELECT coalesce(x.indrelid, m.oid, k.relation) AS relation
    FROM locked AS k
    LEFT JOIN pg_index AS x ON x.indexrelid = k.relation
    LEFT JOIN pg_class AS m ON m.reltoastrelid = coalesce(x.indrelid, k.relation)
    WHERE k.relation IS NOT NULL
),
largest AS MATERIALIZED (
    SELECT c.oid, c.relnamespace, c.relname, c.reltoastrelid
    FROM pg_class AS c
    WHERE c.relkind IN ('r', 'm')
      AND c.relpersistence <> 't'
      AND c.oid >= 16384
      AND c.oid NOT IN (SELECT h.relation FROM held AS h)
    ORDER BY c.relpages DESC, pg_stat_get_live_tuples(c.oid) DESC, c.oid
    LIMIT 200
)
SELECT n.nspname AS schema_name,
       g.relname AS table_name,
       pg_relation_size(g.oid) AS heap_bytes,
       pg_relation_size(g.oid, 'fsm') + pg_relation_size(g.oid, 'vm') AS map_bytes,
       pg_indexes_size(g.oid) AS index_bytes,
       pg_total_relation_size(nullif(g.reltoastrelid, 0)) AS toast_bytes,
       pg_total_relation_size(g.oid) AS total_bytes
FROM largest AS g
JOIN pg_namespace AS n ON n.oid = g.relnamespace
