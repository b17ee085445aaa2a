/* ---
description: What is read, changed and maintained in each table.
scope: database
interval: 60s
lane: slow
timeout: 20s
needs: [track_counts]
max_series: 50000
top: {key: [schema_name, table_name], weight: activity, limit: 20, growth: true}
metrics:
  dbwatch_pg_table_dead_rows: {value: dead_rows, labels: {database: database, schema: schema_name, table: table_name}}
  dbwatch_pg_table_modified_rows: {value: modified_rows, labels: {database: database, schema: schema_name, table: table_name}}
  dbwatch_pg_table_scans_total:
    - {value: sequential_scans, labels: {database: database, schema: schema_name, table: table_name, kind: =sequential}}
    - {value: index_scans, labels: {database: database, schema: schema_name, table: table_name, kind: =index}}
  dbwatch_pg_table_scan_rows_total:
    - {value: sequential_rows, labels: {database: database, schema: schema_name, table: table_name, kind: =sequential}}
    - {value: index_rows, labels: {database: database, schema: schema_name, table: table_name, kind: =index}}
  dbwatch_pg_table_changes_total:
    - {value: inserted, labels: {database: database, schema: schema_name, table: table_name, operation: =insert}}
    - {value: updated, labels: {database: database, schema: schema_name, table: table_name, operation: =update}}
    - {value: hot_updated, labels: {database: database, schema: schema_name, table: table_name, operation: =hot_update}}
    - {value: deleted, labels: {database: database, schema: schema_name, table: table_name, operation: =delete}}
  dbwatch_pg_table_last_maintenance_timestamp_seconds:
    - {value: last_vacuum, labels: {database: database, schema: schema_name, table: table_name, operation: =vacuum}}
    - {value: last_autovacuum, labels: {database: database, schema: schema_name, table: table_name, operation: =autovacuum}}
    - {value: last_analyze, labels: {database: database, schema: schema_name, table: table_name, operation: =analyze}}
    - {value: last_autoanalyze, labels: {database: database, schema: schema_name, table: table_name, operation: =autoanalyze}}
  dbwatch_pg_table_maintenances_total:
    - {value: vacuum_count, labels: {database: database, schema: schema_name, table: table_name, operation: =vacuum}}
    - {value: autovacuum_count, labels: {database: database, schema: schema_name, table: table_name, operation: =autovacuum}}
    - {value: analyze_count, labels: {database: database, schema: schema_name, table: table_name, operation: =analyze}}
    - {value: autoanalyze_count, labels: {database: database, schema: schema_name, table: table_name, operation: =autoanalyze}}
  dbwatch_pg_table_cache_hits_total:
    - {value: heap_hits, labels: {database: database, schema: schema_name, table: table_name, component: =heap}}
    - {value: index_hits, labels: {database: database, schema: schema_name, table: table_name, component: =index}}
    - {value: toast_hits, labels: {database: database, schema: schema_name, table: table_name, component: =toast}}
    - {value: toast_index_hits, labels: {database: database, schema: schema_name, table: table_name, component: =toast_index}}
  dbwatch_pg_table_cache_misses_total:
    - {value: heap_misses, labels: {database: database, schema: schema_name, table: table_name, component: =heap}}
    - {value: index_misses, labels: {database: database, schema: schema_name, table: table_name, component: =index}}
    - {value: toast_misses, labels: {database: database, schema: schema_name, table: table_name, component: =toast}}
    - {value: toast_index_misses, labels: {database: database, schema: schema_name, table: table_name, component: =toast_index}}
--- */
-- The functions behind pg_stat_user_tables and pg_statio_user_tables, asked once: those views take three times as long
-- and open every relation. None of this takes a lock on a table. Partitioned tables hold no rows: their partitions do.
-- (Sums as float8: exact to 2^53 and a third of the price of a sum of bigint, which is numeric.)
WITH indexes AS (
    SELECT x.indrelid,
           sum(pg_stat_get_numscans(x.indexrelid)::float8) AS scans,
           sum(pg_stat_get_tuples_fetched(x.indexrelid)::float8) AS rows_fetched,
           sum(pg_stat_get_blocks_fetched(x.indexrelid)::float8) AS blocks,
           sum(pg_stat_get_blocks_hit(x.indexrelid)::float8) AS hits
    FROM pg_index AS x
    JOIN pg_class AS r ON r.oid = x.indrelid
    WHERE r.relkind IN ('r', 'm')
      AND r.oid >= 16384
    GROUP BY x.indrelid
)
SELECT n.nspname AS schema_name,
       c.relname AS table_name,
       pg_stat_get_dead_tuples(c.oid) AS dead_rows,
       pg_stat_get_mod_since_analyze(c.oid) AS modified_rows,
       pg_stat_get_numscans(c.oid) AS sequential_scans,
       i.scans AS index_scans,
       pg_stat_get_tuples_returned(c.oid) AS sequential_rows,
       i.rows_fetched + pg_stat_get_tuples_fetched(c.oid) AS index_rows,
       pg_stat_get_tuples_inserted(c.oid) AS inserted,
       pg_stat_get_tuples_updated(c.oid) - pg_stat_get_tuples_hot_updated(c.oid) AS updated,
       pg_stat_get_tuples_hot_updated(c.oid) AS hot_updated,
       pg_stat_get_tuples_deleted(c.oid) AS deleted,
       date_part('epoch', pg_stat_get_last_vacuum_time(c.oid)) AS last_vacuum,
       date_part('epoch', pg_stat_get_last_autovacuum_time(c.oid)) AS last_autovacuum,
       date_part('epoch', pg_stat_get_last_analyze_time(c.oid)) AS last_analyze,
       date_part('epoch', pg_stat_get_last_autoanalyze_time(c.oid)) AS last_autoanalyze,
       pg_stat_get_vacuum_count(c.oid) AS vacuum_count,
       pg_stat_get_autovacuum_count(c.oid) AS autovacuum_count,
       pg_stat_get_analyze_count(c.oid) AS analyze_count,
       pg_stat_get_autoanalyze_count(c.oid) AS autoanalyze_count,
       pg_stat_get_blocks_hit(c.oid) AS heap_hits,
       pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS heap_misses,
       i.hits AS index_hits,
       i.blocks - i.hits AS index_misses,
       pg_stat_get_blocks_hit(t.indrelid) AS toast_hits,
       pg_stat_get_blocks_fetched(t.indrelid) - pg_stat_get_blocks_hit(t.indrelid) AS toast_misses,
       pg_stat_get_blocks_hit(t.indexrelid) AS toast_index_hits,
       pg_stat_get_blocks_fetched(t.indexrelid) - pg_stat_get_blocks_hit(t.indexrelid) AS toast_index_misses,
       pg_stat_get_blocks_fetched(c.oid) + coalesce(i.blocks, 0) AS activity
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN indexes AS i ON i.indrelid = c.oid
LEFT JOIN pg_index AS t ON t.indrelid = c.reltoastrelid
                       AND t.indisvalid  -- one row, also while REINDEX CONCURRENTLY builds a second index
WHERE c.relkind IN ('r', 'm')
  AND c.relpersistence <> 't'
  AND c.oid >= 16384
