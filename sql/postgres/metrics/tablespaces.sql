/* ---
description: Size of each tablespace on disk.
interval: 10m
timeout: 60s
max_series: 200
needs: [pg_monitor]
metrics:
  dbwatch_tablespace_size_bytes: {value: size_bytes, labels: {tablespace: tablespace}}
--- */
-- Dropped while we ask, it is NULL and no error for all.
SELECT t.spcname AS tablespace,
       CASE WHEN has_tablespace_privilege(t.oid, 'CREATE') IS NOT NULL THEN pg_tablespace_size(t.oid) END AS size_bytes
FROM pg_tablespace AS t
