/* ---
description: Room, processes and load of the server's machine, where it is dbwatch's too (host = local).
interval: 60s
source: host
needs: [pg_monitor]
max_series: 200
metrics:
  dbwatch_disk_free_bytes: {value: free_bytes, labels: {mount: mount, purpose: purpose}}
  dbwatch_disk_size_bytes: {value: size_bytes, labels: {mount: mount, purpose: purpose}}
  dbwatch_disk_free_inodes: {value: free_inodes, labels: {mount: mount, purpose: purpose}}
  dbwatch_server_process_cpu_seconds_total: {value: process_cpu_seconds}
  dbwatch_server_process_resident_bytes: {value: process_resident_bytes}
  dbwatch_host_memory_bytes: {value: memory_bytes, labels: {state: state}}
  dbwatch_host_swap_bytes: {value: swap_bytes, labels: {state: state}}
  dbwatch_host_cpu_seconds_total: {value: cpu_seconds, labels: {mode: mode}}
  dbwatch_host_cpus: {value: cpus}
  dbwatch_host_load: {value: load, labels: {window: window}}
--- */
-- The server only names its places, and itself by the process of this session: dbwatch then looks at the machine, and
-- gives the columns above. Paths that are not absolute begin at the data directory.
SELECT 'backend_pid' AS fact, '' AS purpose, pg_backend_pid()::text AS value
UNION ALL
SELECT 'started_at', '', extract(epoch FROM a.backend_start)::text
FROM pg_stat_activity AS a
WHERE a.pid = pg_backend_pid()
UNION ALL
SELECT 'place', 'data', current_setting('data_directory')
UNION ALL
SELECT 'place', 'wal', 'pg_wal'
UNION ALL
SELECT 'place',
       -- The monitoring role's own setting, which is the server's unless somebody gave it another.
       CASE WHEN t.spcname = ANY (string_to_array(replace(replace(current_setting('temp_tablespaces'), '"', ''), ' ', ''), ','))
            THEN 'temp' ELSE 'tablespace' END,
       pg_tablespace_location(t.oid)
FROM pg_tablespace AS t
