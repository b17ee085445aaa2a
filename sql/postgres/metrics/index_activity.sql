/* ---
description: How often each of the largest indexes is read, and when it last was.
scope: database
interval: 5m
timeout: 20s
needs: [track_counts]
max_series: 2000
metrics:
  dbwatch_pg_index_size_bytes:
    value: bytes
    labels: {database: database, schema: schema_name, table: table_name, index: index_name}
  dbwatch_pg_index_scans_total:
    value: scans
    labels: {database: database, schema: schema_name, table: table_name, index: index_name}
  dbwatch_pg_index_entries_read_total:
    value: entries
    labels: {database: database, schema: schema_name, table: table_name, index: index_name}
  dbwatch_pg_index_last_scan_timestamp_seconds:
    value: last_scan
    labels: {database: database, schema: schema_name, table: table_name, index: index_name}
--- */
-- The twenty largest, by their pages as of the last VACUUM or ANALYZE: size changes slowly, and so does who is among them.
-- @when postgres >= 16
WITH largest AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relpages, x.indrelid
    FROM pg_class AS c
    JOIN pg_index AS x ON x.indexrelid = c.oid
    WHERE c.relkind = 'i'
      AND c.relpersistence <> 't'
      AND x.indrelid >= 16384
      AND c.relnamespace <> 'pg_toast'::regnamespace
    ORDER BY c.relpages DESC, c.oid
    LIMIT 20
)
SELECT n.nspname AS schema_name,
       t.relname AS table_name,
       g.relname AS index_name,
       g.relpages * current_setting('block_size')::float8 AS bytes,
       pg_stat_get_numscans(g.oid) AS scans,
       pg_stat_get_tuples_returned(g.oid) AS entries,
       date_part('epoch', pg_stat_get_lastscan(g.oid)) AS last_scan
FROM largest AS g
JOIN pg_class AS t ON t.oid = g.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
-- @when postgres < 16
WITH largest AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relpages, x.indrelid
    FROM pg_class AS c
    JOIN pg_index AS x ON x.indexrelid = c.oid
    WHERE c.relkind = 'i'
      AND c.relpersistence <> 't'
      AND x.indrelid >= 16384
      AND c.relnamespace <> 'pg_toast'::regnamespace
    ORDER BY c.relpages DESC, c.oid
    LIMIT 20
)
SELECT n.nspname AS schema_name,
       t.relname AS table_name,
       g.relname AS index_name,
       g.relpages * current_setting('block_size')::float8 AS bytes,
       pg_stat_get_numscans(g.oid) AS scans,
       pg_stat_get_tuples_returned(g.oid) AS entries,
       NULL::float8 AS last_scan
FROM largest AS g
JOIN pg_class AS t ON t.oid = g.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
