/* ---
description: Bytes of WAL and of the server's log on disk, and the files that wait for the archive.
interval: 5m
max_series: 4
needs: [pg_monitor, server_directories]
metrics:
  dbwatch_log_size_bytes:
    - {value: wal_bytes, labels: {log: =wal}}
    - {value: server_log_bytes, labels: {log: =server}}
  dbwatch_pg_archive_ready_files: {value: ready_files}
  dbwatch_pg_archive_oldest_ready_timestamp_seconds: {value: oldest_ready}
--- */
-- Each file costs a look at the disk, and a stuck archive may have left many: hence the interval. The directory of the
-- log exists only where the server writes one itself.
SELECT w.wal_bytes,
       CASE WHEN current_setting('logging_collector')::boolean
            THEN (SELECT coalesce(sum(f.size), 0)::float8 FROM pg_ls_logdir() AS f)
       END AS server_log_bytes,
       CASE WHEN m.archiving THEN r.ready_files END AS ready_files,
       CASE WHEN m.archiving THEN r.oldest_ready END AS oldest_ready
FROM (SELECT sum(f.size)::float8 AS wal_bytes FROM pg_ls_waldir() AS f) AS w
CROSS JOIN (
    SELECT count(*) AS ready_files, extract(epoch FROM min(f.modification))::float8 AS oldest_ready
    FROM pg_ls_archive_statusdir() AS f
    WHERE f.name LIKE '%.ready'
) AS r
CROSS JOIN (
    SELECT current_setting('archive_mode') = 'always'
           OR (current_setting('archive_mode') = 'on' AND NOT pg_is_in_recovery()) AS archiving
) AS m
