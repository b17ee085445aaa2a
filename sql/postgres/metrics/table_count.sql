/* ---
description: How many tables and materialised views each database has.
scope: database
interval: 10m
max_series: 1000
metrics:
  dbwatch_tables: {value: tables, labels: {database: database}}
--- */
-- A partitioned table counts by its partitions: they are what holds rows.
SELECT count(*) AS tables
FROM pg_class AS c
WHERE c.relkind IN ('r', 'm')
  AND c.relpersistence <> 't'
  AND c.oid >= 16384
