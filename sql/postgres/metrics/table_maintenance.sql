/* ---
description: What PostgreSQL's newer versions tell of the largest tables, as last scans and time of maintenance.
scope: database
interval: 5m
timeout: 20s
needs: [track_counts]
max_series: 4000
top: {key: [schema_name, table_name], weight: pages, limit: 20}
metrics:
  dbwatch_pg_table_inserted_rows: {value: inserted_rows, labels: {database: database, schema: schema_name, table: table_name}}
  dbwatch_pg_table_newpage_updates_total:
    {value: newpage_updates, labels: {database: database, schema: schema_name, table: table_name}}
  dbwatch_pg_table_last_scan_timestamp_seconds:
    - {value: last_sequential, labels: {database: database, schema: schema_name, table: table_name, kind: =sequential}}
    - {value: last_index, labels: {database: database, schema: schema_name, table: table_name, kind: =index}}
  dbwatch_pg_table_maintenance_seconds_total:
    - value: vacuum_ms
      scale: 0.001
      labels: {database: database, schema: schema_name, table: table_name, operation: =vacuum}
    - value: autovacuum_ms
      scale: 0.001
      labels: {database: database, schema: schema_name, table: table_name, operation: =autovacuum}
    - value: analyze_ms
      scale: 0.001
      labels: {database: database, schema: schema_name, table: table_name, operation: =analyze}
    - value: autoanalyze_ms
      scale: 0.001
      labels: {database: database, schema: schema_name, table: table_name, operation: =autoanalyze}
--- */
-- The functions behind pg_stat_user_tables, for that view opens every relation. (Zero of these times: no run was timed.)
-- @when postgres >= 18
WITH indexes AS (
    SELECT x.indrelid, max(pg_stat_get_lastscan(x.indexrelid)) AS last_scan
    FROM pg_index AS x
    WHERE x.indrelid >= 16384
    GROUP BY x.indrelid
)
SELECT n.nspname AS schema_name,
       c.relname AS table_name,
       c.relpages::float8 AS pages,
       pg_stat_get_ins_since_vacuum(c.oid) AS inserted_rows,
       pg_stat_get_tuples_newpage_updated(c.oid) AS newpage_updates,
       date_part('epoch', pg_stat_get_lastscan(c.oid)) AS last_sequential,
       date_part('epoch', i.last_scan) AS last_index,
       pg_stat_get_total_vacuum_time(c.oid) AS vacuum_ms,
       pg_stat_get_total_autovacuum_time(c.oid) AS autovacuum_ms,
       pg_stat_get_total_analyze_time(c.oid) AS analyze_ms,
       pg_stat_get_total_autoanalyze_time(c.oid) AS autoanalyze_ms
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN indexes AS i ON i.indrelid = c.oid
WHERE c.relkind IN ('r', 'm')
  AND c.relpersistence <> 't'
  AND c.oid >= 16384
-- @when postgres >= 16 and postgres < 18
WITH indexes AS (
    SELECT x.indrelid, max(pg_stat_get_lastscan(x.indexrelid)) AS last_scan
    FROM pg_index AS x
    WHERE x.indrelid >= 16384
    GROUP BY x.indrelid
)
SELECT n.nspname AS schema_name,
       c.relname AS table_name,
       c.relpages::float8 AS pages,
       pg_stat_get_ins_since_vacuum(c.oid) AS inserted_rows,
       pg_stat_get_tuples_newpage_updated(c.oid) AS newpage_updates,
       date_part('epoch', pg_stat_get_lastscan(c.oid)) AS last_sequential,
       date_part('epoch', i.last_scan) AS last_index,
       NULL::float8 AS vacuum_ms,
       NULL::float8 AS autovacuum_ms,
       NULL::float8 AS analyze_ms,
       NULL::float8 AS autoanalyze_ms
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN indexes AS i ON i.indrelid = c.oid
WHERE c.relkind IN ('r', 'm')
  AND c.relpersistence <> 't'
  AND c.oid >= 16384
-- @when postgres < 16
SELECT n.nspname AS schema_name,
       c.relname AS table_name,
       c.relpages::float8 AS pages,
       pg_stat_get_ins_since_vacuum(c.oid) AS inserted_rows,
       NULL::bigint AS newpage_updates,
       NULL::float8 AS last_sequential,
       NULL::float8 AS last_index,
       NULL::float8 AS vacuum_ms,
       NULL::float8 AS autovacuum_ms,
       NULL::float8 AS analyze_ms,
       NULL::float8 AS autoanalyze_ms
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm')
  AND c.relpersistence <> 't'
  AND c.oid >= 16384
