/* ---
description: What shared buffers hold, where the extension pg_buffercache (1.4 or later) is in the monitoring database.
interval: 5m
max_series: 5
needs: [pg_monitor]
metrics:
  dbwatch_pg_shared_buffers_bytes:
    - {value: used_bytes, labels: {state: =used}}
    - {value: unused_bytes, labels: {state: =unused}}
    - {value: dirty_bytes, labels: {state: =dirty}}
    - {value: pinned_bytes, labels: {state: =pinned}}
  dbwatch_pg_shared_buffers_usage_average: {value: usage_average}
--- */
-- @when postgres >= 16 and extension pg_buffercache >= 1.4 and probe pg_buffercache
-- A look without locks, milliseconds even at many gigabytes: never pg_buffercache itself, a row for each buffer.
SELECT s.buffers_used * b.bytes AS used_bytes,
       s.buffers_unused * b.bytes AS unused_bytes,
       s.buffers_dirty * b.bytes AS dirty_bytes,
       s.buffers_pinned * b.bytes AS pinned_bytes,
       s.usagecount_avg AS usage_average
FROM public.pg_buffercache_summary() AS s
CROSS JOIN (SELECT current_setting('block_size')::bigint AS bytes) AS b
