/* ---
description: The statements that take most time, and what they read, write and wait for (pg_stat_statements).
interval: 60s
lane: slow
timeout: 5s
needs: [pg_monitor]
max_series: 400
accumulate: [dbid, userid, queryid, toplevel]
top: {key: [database, username, queryid], weight: exec_seconds, limit: 20, growth: true}
accounts: [username]
metrics:
  dbwatch_statement_calls_total: {value: calls, labels: {database: database, user: username, queryid: queryid}}
  dbwatch_statement_seconds_total: {value: exec_seconds, labels: {database: database, user: username, queryid: queryid}}
  dbwatch_statement_rows_total: {value: row_count, labels: {database: database, user: username, queryid: queryid}}
  dbwatch_statement_entries: {value: =1}
  dbwatch_pg_statement_blocks_total:
    - {value: blocks_hit, labels: {database: database, user: username, queryid: queryid, operation: =hit}}
    - {value: blocks_read, labels: {database: database, user: username, queryid: queryid, operation: =read}}
    - {value: blocks_dirtied, labels: {database: database, user: username, queryid: queryid, operation: =dirtied}}
    - {value: blocks_written, labels: {database: database, user: username, queryid: queryid, operation: =written}}
  dbwatch_pg_statement_io_seconds_total:
    - {value: read_seconds, labels: {database: database, user: username, queryid: queryid, operation: =read}}
    - {value: write_seconds, labels: {database: database, user: username, queryid: queryid, operation: =write}}
  dbwatch_pg_statement_temp_bytes_total:
    - {value: temp_read_bytes, labels: {database: database, user: username, queryid: queryid, operation: =read}}
    - {value: temp_written_bytes, labels: {database: database, user: username, queryid: queryid, operation: =written}}
  dbwatch_pg_statement_wal_bytes_total: {value: wal_bytes, labels: {database: database, user: username, queryid: queryid}}
  dbwatch_pg_statement_wal_buffers_full_total:
    {value: wal_buffers_full, labels: {database: database, user: username, queryid: queryid}}
  dbwatch_pg_statement_plan_seconds_total: {value: plan_seconds, labels: {database: database, user: username, queryid: queryid}}
  dbwatch_pg_statement_jit_seconds_total: {value: jit_seconds, labels: {database: database, user: username, queryid: queryid}}
  dbwatch_pg_statement_parallel_workers_total:
    - {value: workers_planned, labels: {database: database, user: username, queryid: queryid, state: =planned}}
    - {value: workers_launched, labels: {database: database, user: username, queryid: queryid, state: =launched}}
--- */
-- The columns are those of the extension's version, which pg_upgrade leaves behind the server's. The texts are not read:
-- their file can be gigabytes. One statement is counted apart by account, database and whether it is nested (toplevel).
-- Times that nobody measures (track_io_timing, track_planning, jit) are NULL, not zero.
-- @when extension pg_stat_statements >= 1.12 and probe pg_stat_statements
SELECT s.dbid, s.userid, s.toplevel AS toplevel,
       s.queryid::text AS queryid,
       coalesce(d.datname, '') AS database,
       coalesce(r.rolname, '') AS username,
       s.calls,
       s.total_exec_time / 1000 AS exec_seconds,
       s.rows AS row_count,
       s.shared_blks_hit AS blocks_hit,
       s.shared_blks_read AS blocks_read,
       s.shared_blks_dirtied AS blocks_dirtied,
       s.shared_blks_written AS blocks_written,
       nullif(s.shared_blk_read_time + s.local_blk_read_time + s.temp_blk_read_time, 0) / 1000 AS read_seconds,
       nullif(s.shared_blk_write_time + s.local_blk_write_time + s.temp_blk_write_time, 0) / 1000 AS write_seconds,
       s.temp_blks_read * (SELECT current_setting('block_size')::bigint) AS temp_read_bytes,
       s.temp_blks_written * (SELECT current_setting('block_size')::bigint) AS temp_written_bytes,
       s.wal_bytes::float8 AS wal_bytes,
       s.wal_buffers_full AS wal_buffers_full,
       nullif(s.total_plan_time, 0) / 1000 AS plan_seconds,
       nullif(s.jit_generation_time + s.jit_inlining_time
              + s.jit_optimization_time + s.jit_emission_time + s.jit_deform_time, 0) / 1000 AS jit_seconds,
       s.parallel_workers_to_launch AS workers_planned,
       s.parallel_workers_launched AS workers_launched
FROM public.pg_stat_statements(showtext := false) AS s
LEFT JOIN pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_roles AS r ON r.oid = s.userid
-- @when extension pg_stat_statements = 1.11 and probe pg_stat_statements
SELECT s.dbid, s.userid, s.toplevel AS toplevel,
       s.queryid::text AS queryid,
       coalesce(d.datname, '') AS database,
       coalesce(r.rolname, '') AS username,
       s.calls,
       s.total_exec_time / 1000 AS exec_seconds,
       s.rows AS row_count,
       s.shared_blks_hit AS blocks_hit,
       s.shared_blks_read AS blocks_read,
       s.shared_blks_dirtied AS blocks_dirtied,
       s.shared_blks_written AS blocks_written,
       nullif(s.shared_blk_read_time + s.local_blk_read_time + s.temp_blk_read_time, 0) / 1000 AS read_seconds,
       nullif(s.shared_blk_write_time + s.local_blk_write_time + s.temp_blk_write_time, 0) / 1000 AS write_seconds,
       s.temp_blks_read * (SELECT current_setting('block_size')::bigint) AS temp_read_bytes,
       s.temp_blks_written * (SELECT current_setting('block_size')::bigint) AS temp_written_bytes,
       s.wal_bytes::float8 AS wal_bytes,
       NULL::bigint AS wal_buffers_full,
       nullif(s.total_plan_time, 0) / 1000 AS plan_seconds,
       nullif(s.jit_generation_time + s.jit_inlining_time
              + s.jit_optimization_time + s.jit_emission_time + s.jit_deform_time, 0) / 1000 AS jit_seconds,
       NULL::bigint AS workers_planned,
       NULL::bigint AS workers_launched
FROM public.pg_stat_statements(showtext := false) AS s
LEFT JOIN pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_roles AS r ON r.oid = s.userid
-- @when extension pg_stat_statements = 1.10 and probe pg_stat_statements
SELECT s.dbid, s.userid, s.toplevel AS toplevel,
       s.queryid::text AS queryid,
       coalesce(d.datname, '') AS database,
       coalesce(r.rolname, '') AS username,
       s.calls,
       s.total_exec_time / 1000 AS exec_seconds,
       s.rows AS row_count,
       s.shared_blks_hit AS blocks_hit,
       s.shared_blks_read AS blocks_read,
       s.shared_blks_dirtied AS blocks_dirtied,
       s.shared_blks_written AS blocks_written,
       nullif(s.blk_read_time + s.temp_blk_read_time, 0) / 1000 AS read_seconds,
       nullif(s.blk_write_time + s.temp_blk_write_time, 0) / 1000 AS write_seconds,
       s.temp_blks_read * (SELECT current_setting('block_size')::bigint) AS temp_read_bytes,
       s.temp_blks_written * (SELECT current_setting('block_size')::bigint) AS temp_written_bytes,
       s.wal_bytes::float8 AS wal_bytes,
       NULL::bigint AS wal_buffers_full,
       nullif(s.total_plan_time, 0) / 1000 AS plan_seconds,
       nullif(s.jit_generation_time + s.jit_inlining_time
              + s.jit_optimization_time + s.jit_emission_time, 0) / 1000 AS jit_seconds,
       NULL::bigint AS workers_planned,
       NULL::bigint AS workers_launched
FROM public.pg_stat_statements(showtext := false) AS s
LEFT JOIN pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_roles AS r ON r.oid = s.userid
-- @when extension pg_stat_statements = 1.9 and probe pg_stat_statements
SELECT s.dbid, s.userid, s.toplevel AS toplevel,
       s.queryid::text AS queryid,
       coalesce(d.datname, '') AS database,
       coalesce(r.rolname, '') AS username,
       s.calls,
       s.total_exec_time / 1000 AS exec_seconds,
       s.rows AS row_count,
       s.shared_blks_hit AS blocks_hit,
       s.shared_blks_read AS blocks_read,
       s.shared_blks_dirtied AS blocks_dirtied,
       s.shared_blks_written AS blocks_written,
       nullif(s.blk_read_time, 0) / 1000 AS read_seconds,
       nullif(s.blk_write_time, 0) / 1000 AS write_seconds,
       s.temp_blks_read * (SELECT current_setting('block_size')::bigint) AS temp_read_bytes,
       s.temp_blks_written * (SELECT current_setting('block_size')::bigint) AS temp_written_bytes,
       s.wal_bytes::float8 AS wal_bytes,
       NULL::bigint AS wal_buffers_full,
       nullif(s.total_plan_time, 0) / 1000 AS plan_seconds,
       NULL::float8 AS jit_seconds,
       NULL::bigint AS workers_planned,
       NULL::bigint AS workers_launched
FROM public.pg_stat_statements(showtext := false) AS s
LEFT JOIN pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_roles AS r ON r.oid = s.userid
-- @when extension pg_stat_statements = 1.8 and probe pg_stat_statements
SELECT s.dbid, s.userid, true AS toplevel,
       s.queryid::text AS queryid,
       coalesce(d.datname, '') AS database,
       coalesce(r.rolname, '') AS username,
       s.calls,
       s.total_exec_time / 1000 AS exec_seconds,
       s.rows AS row_count,
       s.shared_blks_hit AS blocks_hit,
       s.shared_blks_read AS blocks_read,
       s.shared_blks_dirtied AS blocks_dirtied,
       s.shared_blks_written AS blocks_written,
       nullif(s.blk_read_time, 0) / 1000 AS read_seconds,
       nullif(s.blk_write_time, 0) / 1000 AS write_seconds,
       s.temp_blks_read * (SELECT current_setting('block_size')::bigint) AS temp_read_bytes,
       s.temp_blks_written * (SELECT current_setting('block_size')::bigint) AS temp_written_bytes,
       s.wal_bytes::float8 AS wal_bytes,
       NULL::bigint AS wal_buffers_full,
       nullif(s.total_plan_time, 0) / 1000 AS plan_seconds,
       NULL::float8 AS jit_seconds,
       NULL::bigint AS workers_planned,
       NULL::bigint AS workers_launched
FROM public.pg_stat_statements(showtext := false) AS s
LEFT JOIN pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_roles AS r ON r.oid = s.userid
