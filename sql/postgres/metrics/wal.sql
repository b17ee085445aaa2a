/* ---
description: How much WAL is written, and whether the archive keeps up with it.
interval: 60s
max_series: 14
metrics:
  dbwatch_log_written_bytes_total: {value: written_bytes, labels: {log: =wal}}
  dbwatch_pg_wal_records_total: {value: records}
  dbwatch_pg_wal_full_page_images_total: {value: full_page_images}
  dbwatch_pg_wal_buffers_full_total: {value: buffers_full}
  dbwatch_pg_wal_operations_total:
    - {value: writes, labels: {operation: =write}}
    - {value: syncs, labels: {operation: =sync}}
  dbwatch_pg_wal_seconds_total:
    - {value: write_ms, scale: 0.001, labels: {operation: =write}}
    - {value: sync_ms, scale: 0.001, labels: {operation: =sync}}
  dbwatch_pg_archived_total: {value: archived}
  dbwatch_pg_archive_failed_total: {value: failed}
  dbwatch_pg_archive_last_success_timestamp_seconds: {value: last_archived}
  dbwatch_pg_archive_last_failure_timestamp_seconds: {value: last_failed}
  dbwatch_pg_archive_lag_bytes: {value: archive_lag_bytes}
--- */
-- @when postgres >= 18
-- The position in the log is the one count of its bytes that all versions have. A replica writes none of its own, and
-- its position may step back when it starts again: absent there. Without an archive_mode there is nothing to archive.
SELECT CASE WHEN NOT h.following THEN h.position END AS written_bytes,
       w.wal_records AS records,
       w.wal_fpi AS full_page_images,
       w.wal_buffers_full AS buffers_full,
       i.writes,
       i.syncs,
       CASE WHEN current_setting('track_wal_io_timing')::boolean THEN i.write_ms END AS write_ms,
       CASE WHEN current_setting('track_wal_io_timing')::boolean THEN i.sync_ms END AS sync_ms,
       CASE WHEN h.archiving THEN a.archived_count END AS archived,
       CASE WHEN h.archiving THEN a.failed_count END AS failed,
       CASE WHEN h.archiving THEN extract(epoch FROM a.last_archived_time)::float8 END AS last_archived,
       CASE WHEN h.archiving THEN extract(epoch FROM a.last_failed_time)::float8 END AS last_failed,
       -- From the end of the last archived file, whose name tells its place. (A timeline's history file has none, and what
       -- a base backup leaves there bears the name of the file in which it began.)
       CASE WHEN h.archiving AND a.last_archived_wal ~ '^[0-9A-F]{24}$'
            THEN greatest(h.position - h.segment_bytes * (1
                 + ('x' || substr(a.last_archived_wal, 9, 8))::bit(32)::bigint * (4294967296 / h.segment_bytes)
                 + ('x' || substr(a.last_archived_wal, 17, 8))::bit(32)::bigint), 0)
       END AS archive_lag_bytes
FROM pg_stat_wal AS w
CROSS JOIN pg_stat_archiver AS a
CROSS JOIN (
    SELECT sum(s.writes)::float8 AS writes,
           sum(s.fsyncs)::float8 AS syncs,
           sum(s.write_time) AS write_ms,
           sum(s.fsync_time) AS sync_ms
    FROM pg_stat_io AS s
    WHERE s.object = 'wal' AND s.context = 'normal'
) AS i
CROSS JOIN (
    SELECT pg_is_in_recovery() AS following,
           pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                           '0/0')::float8 AS position,
           pg_size_bytes(current_setting('wal_segment_size')) AS segment_bytes,
           current_setting('archive_mode') = 'always'
           OR (current_setting('archive_mode') = 'on' AND NOT pg_is_in_recovery()) AS archiving
) AS h
-- @when postgres >= 14 and postgres < 18
-- As above; writes and syncs are in the same view.
SELECT CASE WHEN NOT h.following THEN h.position END AS written_bytes,
       w.wal_records AS records,
       w.wal_fpi AS full_page_images,
       w.wal_buffers_full AS buffers_full,
       w.wal_write AS writes,
       w.wal_sync AS syncs,
       CASE WHEN current_setting('track_wal_io_timing')::boolean THEN w.wal_write_time END AS write_ms,
       CASE WHEN current_setting('track_wal_io_timing')::boolean THEN w.wal_sync_time END AS sync_ms,
       CASE WHEN h.archiving THEN a.archived_count END AS archived,
       CASE WHEN h.archiving THEN a.failed_count END AS failed,
       CASE WHEN h.archiving THEN extract(epoch FROM a.last_archived_time)::float8 END AS last_archived,
       CASE WHEN h.archiving THEN extract(epoch FROM a.last_failed_time)::float8 END AS last_failed,
       -- From the end of the last archived file, whose name tells its place. (A timeline's history file has none, and what
       -- a base backup leaves there bears the name of the file in which it began.)
       CASE WHEN h.archiving AND a.last_archived_wal ~ '^[0-9A-F]{24}$'
            THEN greatest(h.position - h.segment_bytes * (1
                 + ('x' || substr(a.last_archived_wal, 9, 8))::bit(32)::bigint * (4294967296 / h.segment_bytes)
                 + ('x' || substr(a.last_archived_wal, 17, 8))::bit(32)::bigint), 0)
       END AS archive_lag_bytes
FROM pg_stat_wal AS w
CROSS JOIN pg_stat_archiver AS a
CROSS JOIN (
    SELECT pg_is_in_recovery() AS following,
           pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                           '0/0')::float8 AS position,
           pg_size_bytes(current_setting('wal_segment_size')) AS segment_bytes,
           current_setting('archive_mode') = 'always'
           OR (current_setting('archive_mode') = 'on' AND NOT pg_is_in_recovery()) AS archiving
) AS h
-- @when postgres < 14
-- As above; WAL is counted since PostgreSQL 14.
SELECT CASE WHEN NOT h.following THEN h.position END AS written_bytes,
       NULL::bigint AS records,
       NULL::bigint AS full_page_images,
       NULL::bigint AS buffers_full,
       NULL::bigint AS writes,
       NULL::bigint AS syncs,
       NULL::float8 AS write_ms,
       NULL::float8 AS sync_ms,
       CASE WHEN h.archiving THEN a.archived_count END AS archived,
       CASE WHEN h.archiving THEN a.failed_count END AS failed,
       CASE WHEN h.archiving THEN extract(epoch FROM a.last_archived_time)::float8 END AS last_archived,
       CASE WHEN h.archiving THEN extract(epoch FROM a.last_failed_time)::float8 END AS last_failed,
       -- From the end of the last archived file, whose name tells its place. (A timeline's history file has none, and what
       -- a base backup leaves there bears the name of the file in which it began.)
       CASE WHEN h.archiving AND a.last_archived_wal ~ '^[0-9A-F]{24}$'
            THEN greatest(h.position - h.segment_bytes * (1
                 + ('x' || substr(a.last_archived_wal, 9, 8))::bit(32)::bigint * (4294967296 / h.segment_bytes)
                 + ('x' || substr(a.last_archived_wal, 17, 8))::bit(32)::bigint), 0)
       END AS archive_lag_bytes
FROM pg_stat_archiver AS a
CROSS JOIN (
    SELECT pg_is_in_recovery() AS following,
           pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                           '0/0')::float8 AS position,
           pg_size_bytes(current_setting('wal_segment_size')) AS segment_bytes,
           current_setting('archive_mode') = 'always'
           OR (current_setting('archive_mode') = 'on' AND NOT pg_is_in_recovery()) AS archiving
) AS h
