/* ---
description: Room, processes and load of the server's machine, where it is dbwatch's too (host = local).
interval: 60s
source: host
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
-- The server only names its places, and itself by its start and its pid file: dbwatch then looks at the machine, and
-- gives the columns above. Paths that are not absolute begin at the data directory.
-- @when mariadb
SELECT 'program' AS fact, '' AS purpose, 'mariadbd' AS value
UNION ALL
SELECT 'program', '', 'mysqld'
UNION ALL
SELECT 'started_at', '', CAST(UNIX_TIMESTAMP() - s.variable_value AS CHAR)
FROM information_schema.global_status AS s
WHERE s.variable_name = 'UPTIME'
UNION ALL
SELECT 'pid_file', '', @@global.pid_file
UNION ALL
SELECT 'place', 'data', @@global.datadir
UNION ALL
SELECT 'place', 'redo', @@global.innodb_log_group_home_dir
UNION ALL
-- The directory of the name: NULL, and so no place, where nothing is logged.
SELECT 'place', 'binlog', SUBSTRING(@@global.log_bin_basename, 1, CHAR_LENGTH(@@global.log_bin_basename)
                                    - CHAR_LENGTH(SUBSTRING_INDEX(@@global.log_bin_basename, '/', -1)))
UNION ALL
-- There may be several, in turn used: the first one.
SELECT 'place', 'temp', SUBSTRING_INDEX(@@global.tmpdir, ':', 1)
-- @when not mariadb
SELECT 'program' AS fact, '' AS purpose, 'mysqld' AS value
UNION ALL
SELECT 'started_at', '', CAST(UNIX_TIMESTAMP() - s.variable_value AS CHAR)
FROM performance_schema.global_status AS s
WHERE s.variable_name = 'Uptime'
UNION ALL
SELECT 'pid_file', '', @@global.pid_file
UNION ALL
SELECT 'place', 'data', @@global.datadir
UNION ALL
SELECT 'place', 'redo', @@global.innodb_log_group_home_dir
UNION ALL
-- The directory of the name: NULL, and so no place, where nothing is logged.
SELECT 'place', 'binlog', SUBSTRING(@@global.log_bin_basename, 1, CHAR_LENGTH(@@global.log_bin_basename)
                                    - CHAR_LENGTH(SUBSTRING_INDEX(@@global.log_bin_basename, '/', -1)))
UNION ALL
-- There may be several, in turn used: the first one.
SELECT 'place', 'temp', SUBSTRING_INDEX(@@global.tmpdir, ':', 1)
