/* ---
description: Size of each database on disk.
interval: 10m
timeout: 60s
max_series: 1000
needs: [pg_monitor]
metrics:
  dbwatch_database_size_bytes: {value: size_bytes, labels: {database: database}}
--- */
-- A database dropped while we ask is still in our snapshot of pg_database, and its size would be an error for all.
-- has_database_privilege looks at the catalogue as it is now, and gives NULL for what is gone.
SELECT d.datname AS database,
       CASE WHEN has_database_privilege(d.oid, 'CONNECT') IS NOT NULL THEN pg_database_size(d.oid) END AS size_bytes
FROM pg_database AS d
WHERE d.datallowconn OR NOT d.datistemplate
