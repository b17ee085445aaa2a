/* ---
description: Checkpoints, who writes buffers out, and how far the last checkpoint is behind.
interval: 60s
max_series: 20
metrics:
  dbwatch_pg_checkpoints_total:
    - {value: timed, labels: {trigger: =timed}}
    - {value: requested, labels: {trigger: =requested}}
  dbwatch_pg_restartpoints_total:
    - {value: restart_timed, labels: {trigger: =timed}}
    - {value: restart_requested, labels: {trigger: =requested}}
  dbwatch_pg_checkpoints_completed_total: {value: completed}
  dbwatch_pg_restartpoints_completed_total: {value: restart_completed}
  dbwatch_pg_checkpoint_seconds_total:
    - {value: write_ms, scale: 0.001, labels: {phase: =write}}
    - {value: sync_ms, scale: 0.001, labels: {phase: =sync}}
  dbwatch_pg_buffers_written_total:
    - {value: by_checkpointer, labels: {by: =checkpointer}}
    - {value: by_bgwriter, labels: {by: =bgwriter}}
    - {value: by_backend, labels: {by: =backend}}
  dbwatch_pg_checkpoint_slru_buffers_written_total: {value: slru_written}
  dbwatch_pg_bgwriter_maxwritten_clean_total: {value: maxwritten_clean}
  dbwatch_pg_buffers_allocated_total: {value: allocated}
  dbwatch_pg_backend_fsyncs_total: {value: backend_fsyncs}
  dbwatch_pg_last_checkpoint_timestamp_seconds: {value: last_checkpoint}
  dbwatch_pg_wal_since_checkpoint_bytes: {value: since_bytes}
  dbwatch_pg_timeline: {value: timeline}
--- */
-- @when postgres >= 18
-- What backends write themselves, growing a table included, is told by pg_stat_io; an operation may be many blocks. What
-- a context never does is NULL there: the scan of a large table writes, and grows nothing.
SELECT c.num_timed AS timed,
       c.num_requested AS requested,
       c.num_done AS completed,
       c.restartpoints_timed AS restart_timed,
       c.restartpoints_req AS restart_requested,
       c.restartpoints_done AS restart_completed,
       c.write_time AS write_ms,
       c.sync_time AS sync_ms,
       c.buffers_written AS by_checkpointer,
       c.slru_written AS slru_written,
       b.buffers_clean AS by_bgwriter,
       i.written AS by_backend,
       i.fsyncs AS backend_fsyncs,
       b.maxwritten_clean,
       b.buffers_alloc AS allocated,
       extract(epoch FROM k.checkpoint_time)::float8 AS last_checkpoint,
       -- What a crash now would have to replay.
       greatest(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                                k.redo_lsn), 0)::float8 AS since_bytes,
       -- After a promotion the control file follows at the next checkpoint: the name of the WAL file is right at once.
       CASE WHEN pg_is_in_recovery() THEN greatest(k.timeline_id, r.min_recovery_end_timeline)
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
       END AS timeline
FROM pg_stat_checkpointer AS c
CROSS JOIN pg_stat_bgwriter AS b
CROSS JOIN pg_control_checkpoint() AS k
CROSS JOIN pg_control_recovery() AS r
CROSS JOIN (
    SELECT (sum(coalesce(s.write_bytes, 0) + coalesce(s.extend_bytes, 0)) / current_setting('block_size')::bigint)::float8
               AS written,
           sum(s.fsyncs)::float8 AS fsyncs
    FROM pg_stat_io AS s
    WHERE s.object = 'relation'
      AND s.backend_type NOT IN ('checkpointer', 'background writer')
) AS i
-- @when postgres = 17
-- As above; an operation is one block.
SELECT c.num_timed AS timed,
       c.num_requested AS requested,
       NULL::bigint AS completed,
       c.restartpoints_timed AS restart_timed,
       c.restartpoints_req AS restart_requested,
       c.restartpoints_done AS restart_completed,
       c.write_time AS write_ms,
       c.sync_time AS sync_ms,
       c.buffers_written AS by_checkpointer,
       NULL::bigint AS slru_written,
       b.buffers_clean AS by_bgwriter,
       i.written AS by_backend,
       i.fsyncs AS backend_fsyncs,
       b.maxwritten_clean,
       b.buffers_alloc AS allocated,
       extract(epoch FROM k.checkpoint_time)::float8 AS last_checkpoint,
       -- What a crash now would have to replay.
       greatest(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                                k.redo_lsn), 0)::float8 AS since_bytes,
       -- After a promotion the control file follows at the next checkpoint: the name of the WAL file is right at once.
       CASE WHEN pg_is_in_recovery() THEN greatest(k.timeline_id, r.min_recovery_end_timeline)
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
       END AS timeline
FROM pg_stat_checkpointer AS c
CROSS JOIN pg_stat_bgwriter AS b
CROSS JOIN pg_control_checkpoint() AS k
CROSS JOIN pg_control_recovery() AS r
CROSS JOIN (
    SELECT sum(coalesce(s.writes, 0) + coalesce(s.extends, 0))::float8 AS written,
           sum(s.fsyncs)::float8 AS fsyncs
    FROM pg_stat_io AS s
    WHERE s.object = 'relation'
      AND s.backend_type NOT IN ('checkpointer', 'background writer')
) AS i
-- @when postgres < 17
-- One view and one pair of counters: on a replica they count restartpoints.
SELECT CASE WHEN NOT pg_is_in_recovery() THEN b.checkpoints_timed END AS timed,
       CASE WHEN NOT pg_is_in_recovery() THEN b.checkpoints_req END AS requested,
       NULL::bigint AS completed,
       CASE WHEN pg_is_in_recovery() THEN b.checkpoints_timed END AS restart_timed,
       CASE WHEN pg_is_in_recovery() THEN b.checkpoints_req END AS restart_requested,
       NULL::bigint AS restart_completed,
       b.checkpoint_write_time AS write_ms,
       b.checkpoint_sync_time AS sync_ms,
       b.buffers_checkpoint AS by_checkpointer,
       NULL::bigint AS slru_written,
       b.buffers_clean AS by_bgwriter,
       b.buffers_backend AS by_backend,
       b.buffers_backend_fsync AS backend_fsyncs,
       b.maxwritten_clean,
       b.buffers_alloc AS allocated,
       extract(epoch FROM k.checkpoint_time)::float8 AS last_checkpoint,
       -- What a crash now would have to replay.
       greatest(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                                k.redo_lsn), 0)::float8 AS since_bytes,
       -- After a promotion the control file follows at the next checkpoint: the name of the WAL file is right at once.
       CASE WHEN pg_is_in_recovery() THEN greatest(k.timeline_id, r.min_recovery_end_timeline)
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
       END AS timeline
FROM pg_stat_bgwriter AS b
CROSS JOIN pg_control_checkpoint() AS k
CROSS JOIN pg_control_recovery() AS r
