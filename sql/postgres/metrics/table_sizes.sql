/* ---
description: Size of each table by component, and its rows.
scope: database
interval: 10m
timeout: 20s
max_series: 50000
top: {key: [schema_name, table_name], weight: total_bytes, limit: 25}
metrics:
  dbwatch_table_size_bytes:
    - {value: heap_bytes, labels: {database: database, schema: schema_name, table: table_name, component: =heap}}
    - {value: index_bytes, labels: {database: database, schema: schema_name, table: table_name, component: =index}}
    - {value: toast_bytes, labels: {database: database, schema: schema_name, table: table_name, component: =toast}}
  dbwatch_table_rows: {value: row_count, labels: {database: database, schema: schema_name, table: table_name}}
--- */
-- Pages as the last VACUUM or ANALYZE counted them: pg_table_size() and its like would wait for whoever alters the
-- table, and make this backend remember every relation (131 MiB for 10,000 tables).
WITH pages AS (
    SELECT x.indrelid, sum(r.relpages::float8) AS indexes
    FROM pg_index AS x
    JOIN pg_class AS r ON r.oid = x.indexrelid
    WHERE x.indrelid >= 16384
    GROUP BY x.indrelid
)
SELECT n.nspname AS schema_name,
       c.relname AS table_name,
       -- Never counted yet (-1; before version 14, 0 rows on 0 pages): no size is known.
       CASE WHEN s.counted THEN b.bytes * c.relpages END AS heap_bytes,
       CASE WHEN s.counted THEN b.bytes * coalesce(i.indexes, 0) END AS index_bytes,
       CASE WHEN s.counted THEN b.bytes * (t.relpages + coalesce(ti.indexes, 0)) END AS toast_bytes,
       b.bytes * (c.relpages + coalesce(i.indexes, 0) + coalesce(t.relpages + coalesce(ti.indexes, 0), 0)) AS total_bytes,
       -- The running count; a crash loses it, and what is left is the planner's estimate (-1: none). Where it knows of dead
       -- rows none lives, but only if it knows too when the table was last maintained: a crash loses that as well, and the
       -- first UPDATE after it leaves a dead row in a table of millions.
       coalesce(nullif(pg_stat_get_live_tuples(c.oid), 0)::float8,
                CASE WHEN pg_stat_get_dead_tuples(c.oid) > 0
                      AND coalesce(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid),
                                   pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)) IS NOT NULL
                     THEN 0 END,
                nullif(c.reltuples, -1)::float8) AS row_count
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN (SELECT current_setting('block_size')::float8 AS bytes) AS b
CROSS JOIN LATERAL (SELECT c.reltuples > 0 OR c.relpages > 0
                           OR (c.reltuples = 0 AND current_setting('server_version_num')::int >= 140000) AS counted) AS s
LEFT JOIN pages AS i ON i.indrelid = c.oid
LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid AND t.relkind = 't'
LEFT JOIN pages AS ti ON ti.indrelid = t.oid
WHERE c.relkind IN ('r', 'm')
  AND c.relpersistence <> 't'
  AND c.oid >= 16384
