/* ---
description: The server's own counters - sessions opened and lost, rows, buffer pool, temporary tables.
interval: 15s
max_series: 30
metrics:
  dbwatch_connections_total: {value: connections}
  dbwatch_connection_failures_total:
    - {value: aborted_connects, labels: {reason: =login}}
    - {value: aborted_clients, labels: {reason: =lost}}
    - {value: over_limit, labels: {reason: =max_connections}}
    - {value: internal_errors, labels: {reason: =internal}}
    - {value: accept_errors, labels: {reason: =accept}}
    - {value: peer_address_errors, labels: {reason: =peer_address}}
    - {value: select_errors, labels: {reason: =select}}
    - {value: tcpwrap_errors, labels: {reason: =tcpwrap}}
  dbwatch_mysql_threads:
    - {value: threads_connected, labels: {state: =connected}}
    - {value: threads_running, labels: {state: =running}}
    - {value: threads_cached, labels: {state: =cached}}
  dbwatch_database_rows_total:
    - {value: rows_read, labels: {operation: =read}}
    - {value: rows_inserted, labels: {operation: =insert}}
    - {value: rows_updated, labels: {operation: =update}}
    - {value: rows_deleted, labels: {operation: =delete}}
  dbwatch_cache_hits_total: {value: buffer_pool_hits, labels: {cache: =buffer_pool}}
  dbwatch_cache_misses_total: {value: buffer_pool_reads, labels: {cache: =buffer_pool}}
  dbwatch_temp_files_total: {value: created_tmp_disk_tables}
--- */
-- One pass over the status, turned into one row; a counter that a version lacks is NULL, and so absent.
-- The WHERE is checked while the status is collected: without it MariaDB writes 600 rows first, in 10 ms instead of 1.
-- A read that the buffer pool could not answer is a miss; a hit is any other read request.
-- @when mariadb
-- InnoDB counts no rows here since 10.6: the rows of all engines, internal temporary tables left out.
SELECT MAX(IF(s.variable_name = 'CONNECTIONS', s.variable_value, NULL)) + 0 AS connections,
       MAX(IF(s.variable_name = 'ABORTED_CONNECTS', s.variable_value, NULL)) + 0 AS aborted_connects,
       MAX(IF(s.variable_name = 'ABORTED_CLIENTS', s.variable_value, NULL)) + 0 AS aborted_clients,
       MAX(IF(s.variable_name = 'CONNECTION_ERRORS_MAX_CONNECTIONS', s.variable_value, NULL)) + 0 AS over_limit,
       MAX(IF(s.variable_name = 'CONNECTION_ERRORS_INTERNAL', s.variable_value, NULL)) + 0 AS internal_errors,
       MAX(IF(s.variable_name = 'CONNECTION_ERRORS_ACCEPT', s.variable_value, NULL)) + 0 AS accept_errors,
       MAX(IF(s.variable_name = 'CONNECTION_ERRORS_PEER_ADDRESS', s.variable_value, NULL)) + 0 AS peer_address_errors,
       MAX(IF(s.variable_name = 'CONNECTION_ERRORS_SELECT', s.variable_value, NULL)) + 0 AS select_errors,
       MAX(IF(s.variable_name = 'CONNECTION_ERRORS_TCPWRAP', s.variable_value, NULL)) + 0 AS tcpwrap_errors,
       MAX(IF(s.variable_name = 'THREADS_CONNECTED', s.variable_value, NULL)) + 0 AS threads_connected,
       MAX(IF(s.variable_name = 'THREADS_RUNNING', s.variable_value, NULL)) + 0 AS threads_running,
       MAX(IF(s.variable_name = 'THREADS_CACHED', s.variable_value, NULL)) + 0 AS threads_cached,
       MAX(IF(s.variable_name = 'ROWS_READ', s.variable_value, NULL)) + 0 AS rows_read,
       MAX(IF(s.variable_name = 'HANDLER_WRITE', s.variable_value, NULL)) + 0 AS rows_inserted,
       MAX(IF(s.variable_name = 'HANDLER_UPDATE', s.variable_value, NULL)) + 0 AS rows_updated,
       MAX(IF(s.variable_name = 'HANDLER_DELETE', s.variable_value, NULL)) + 0 AS rows_deleted,
       MAX(IF(s.variable_name = 'INNODB_BUFFER_POOL_READS', s.variable_value, NULL)) + 0 AS buffer_pool_reads,
       MAX(IF(s.variable_name = 'CREATED_TMP_DISK_TABLES', s.variable_value, NULL)) + 0 AS created_tmp_disk_tables,
       GREATEST(0, MAX(IF(s.variable_name = 'INNODB_BUFFER_POOL_READ_REQUESTS', s.variable_value, NULL))
           - MAX(IF(s.variable_name = 'INNODB_BUFFER_POOL_READS', s.variable_value, NULL))) AS buffer_pool_hits
FROM information_schema.global_status AS s
WHERE s.variable_name IN (
    'CONNECTIONS', 'ABORTED_CONNECTS', 'ABORTED_CLIENTS', 'CONNECTION_ERRORS_MAX_CONNECTIONS',
    'CONNECTION_ERRORS_INTERNAL', 'ROWS_READ', 'HANDLER_WRITE', 'HANDLER_UPDATE', 'HANDLER_DELETE',
    'INNODB_BUFFER_POOL_READS', 'CREATED_TMP_DISK_TABLES', 'INNODB_BUFFER_POOL_READ_REQUESTS',
    'CONNECTION_ERRORS_ACCEPT', 'CONNECTION_ERRORS_PEER_ADDRESS', 'CONNECTION_ERRORS_SELECT',
    'CONNECTION_ERRORS_TCPWRAP', 'THREADS_CONNECTED', 'THREADS_RUNNING', 'THREADS_CACHED'
)
-- @when not mariadb
SELECT MAX(IF(s.variable_name = 'Connections', s.variable_value, NULL)) + 0 AS connections,
       MAX(IF(s.variable_name = 'Aborted_connects', s.variable_value, NULL)) + 0 AS aborted_connects,
       MAX(IF(s.variable_name = 'Aborted_clients', s.variable_value, NULL)) + 0 AS aborted_clients,
       MAX(IF(s.variable_name = 'Connection_errors_max_connections', s.variable_value, NULL)) + 0 AS over_limit,
       MAX(IF(s.variable_name = 'Connection_errors_internal', s.variable_value, NULL)) + 0 AS internal_errors,
       MAX(IF(s.variable_name = 'Connection_errors_accept', s.variable_value, NULL)) + 0 AS accept_errors,
       MAX(IF(s.variable_name = 'Connection_errors_peer_address', s.variable_value, NULL)) + 0 AS peer_address_errors,
       MAX(IF(s.variable_name = 'Connection_errors_select', s.variable_value, NULL)) + 0 AS select_errors,
       MAX(IF(s.variable_name = 'Connection_errors_tcpwrap', s.variable_value, NULL)) + 0 AS tcpwrap_errors,
       MAX(IF(s.variable_name = 'Threads_connected', s.variable_value, NULL)) + 0 AS threads_connected,
       MAX(IF(s.variable_name = 'Threads_running', s.variable_value, NULL)) + 0 AS threads_running,
       MAX(IF(s.variable_name = 'Threads_cached', s.variable_value, NULL)) + 0 AS threads_cached,
       MAX(IF(s.variable_name = 'Innodb_rows_read', s.variable_value, NULL)) + 0 AS rows_read,
       MAX(IF(s.variable_name = 'Innodb_rows_inserted', s.variable_value, NULL)) + 0 AS rows_inserted,
       MAX(IF(s.variable_name = 'Innodb_rows_updated', s.variable_value, NULL)) + 0 AS rows_updated,
       MAX(IF(s.variable_name = 'Innodb_rows_deleted', s.variable_value, NULL)) + 0 AS rows_deleted,
       MAX(IF(s.variable_name = 'Innodb_buffer_pool_reads', s.variable_value, NULL)) + 0 AS buffer_pool_reads,
       MAX(IF(s.variable_name = 'Created_tmp_disk_tables', s.variable_value, NULL)) + 0 AS created_tmp_disk_tables,
       GREATEST(0, MAX(IF(s.variable_name = 'Innodb_buffer_pool_read_requests', s.variable_value, NULL))
           - MAX(IF(s.variable_name = 'Innodb_buffer_pool_reads', s.variable_value, NULL))) AS buffer_pool_hits
FROM performance_schema.global_status AS s
WHERE s.variable_name IN (
    'Connections', 'Aborted_connects', 'Aborted_clients', 'Connection_errors_max_connections',
    'Connection_errors_internal', 'Innodb_rows_read', 'Innodb_rows_inserted', 'Innodb_rows_updated',
    'Innodb_rows_deleted', 'Innodb_buffer_pool_reads', 'Created_tmp_disk_tables',
    'Innodb_buffer_pool_read_requests', 'Connection_errors_accept', 'Connection_errors_peer_address',
    'Connection_errors_select', 'Connection_errors_tcpwrap', 'Threads_connected', 'Threads_running', 'Threads_cached'
)
