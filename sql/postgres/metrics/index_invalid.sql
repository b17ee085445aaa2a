/* ---
description: Indexes that are kept up to date and serve no query, because their CREATE or REINDEX CONCURRENTLY failed.
scope: database
role: primary
interval: 5m
timeout: 20s
needs: [pg_monitor]
max_series: 500
top: {key: [schema_name, table_name, index_name], weight: pages, limit: 20}
metrics:
  dbwatch_index_invalid: {value: invalid, labels: {database: database, schema: schema_name, table: table_name, index: index_name}}
--- */
-- An index of a table on which one is being built right now is not judged.
SELECT n.nspname AS schema_name,
       t.relname AS table_name,
       c.relname AS index_name,
       c.relpages::float8 AS pages,
       1 AS invalid
FROM pg_index AS x
JOIN pg_class AS c ON c.oid = x.indexrelid
JOIN pg_class AS t ON t.oid = x.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE NOT (x.indisvalid AND x.indisready)
  AND c.relkind = 'i'
  AND t.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p
                  WHERE p.relid = x.indrelid AND p.datname = current_database())
