/* ---
description: InnoDB - pages, reads and writes of its files, redo operations, waits for row locks.
interval: 60s
max_series: 40
rows: {key: Variable_name, value: Value}
metrics:
  dbwatch_mysql_buffer_pool_pages_total:
    - {value: innodb_pages_read, labels: {operation: =read}}
    - {value: innodb_pages_created, labels: {operation: =created}}
    - {value: innodb_pages_written, labels: {operation: =written}}
    - {value: innodb_buffer_pool_pages_flushed, labels: {operation: =flushed}}
    - {value: innodb_buffer_pool_pages_lru_flushed, labels: {operation: =lru_flushed}}
    - {value: innodb_buffer_pool_read_ahead, labels: {operation: =read_ahead}}
    - {value: innodb_buffer_pool_read_ahead_rnd, labels: {operation: =read_ahead_random}}
    - {value: innodb_buffer_pool_read_ahead_evicted, labels: {operation: =read_ahead_evicted}}
    - {value: innodb_buffer_pool_pages_made_young, labels: {operation: =made_young}}
    - {value: innodb_buffer_pool_pages_made_not_young, labels: {operation: =made_not_young}}
  dbwatch_mysql_buffer_pool_write_requests_total: {value: innodb_buffer_pool_write_requests}
  dbwatch_mysql_buffer_pool_wait_free_total: {value: innodb_buffer_pool_wait_free}
  dbwatch_mysql_data_operations_total:
    - {value: innodb_data_reads, labels: {operation: =read}}
    - {value: innodb_data_writes, labels: {operation: =write}}
    - {value: innodb_data_fsyncs, labels: {operation: =fsync}}
  dbwatch_mysql_data_bytes_total:
    - {value: innodb_data_read, labels: {operation: =read}}
    - {value: innodb_data_written, labels: {operation: =write}}
  dbwatch_mysql_data_pending:
    - {value: innodb_data_pending_reads, labels: {operation: =read}}
    - {value: innodb_data_pending_writes, labels: {operation: =write}}
    - {value: innodb_data_pending_fsyncs, labels: {operation: =fsync}}
  dbwatch_mysql_doublewrite_pages_total: {value: innodb_dblwr_pages_written}
  dbwatch_mysql_doublewrite_writes_total: {value: innodb_dblwr_writes}
  dbwatch_mysql_redo_operations_total:
    - {value: innodb_log_write_requests, labels: {operation: =write_request}}
    - {value: innodb_log_writes, labels: {operation: =write}}
    - {value: innodb_os_log_fsyncs, labels: {operation: =fsync}}
    - {value: innodb_log_waits, labels: {operation: =wait}}
  dbwatch_mysql_redo_pending:
    - {value: innodb_os_log_pending_writes, labels: {operation: =write}}
    - {value: innodb_os_log_pending_fsyncs, labels: {operation: =fsync}}
  dbwatch_mysql_row_lock_waits_total: {value: innodb_row_lock_waits}
  dbwatch_mysql_row_lock_wait_seconds_total: {value: innodb_row_lock_time, scale: 0.001}
  dbwatch_mysql_row_lock_wait_max_seconds: {value: innodb_row_lock_time_max, scale: 0.001}
  dbwatch_mysql_row_locks_waiting: {value: innodb_row_lock_current_waits}
--- */
-- What a version does not count has no row, and so no sample. Times are milliseconds.
SHOW GLOBAL STATUS WHERE Variable_name IN (
    'Innodb_pages_read', 'Innodb_pages_created', 'Innodb_pages_written', 'Innodb_buffer_pool_pages_flushed',
    'Innodb_buffer_pool_pages_lru_flushed', 'Innodb_buffer_pool_read_ahead', 'Innodb_buffer_pool_read_ahead_rnd',
    'Innodb_buffer_pool_read_ahead_evicted', 'Innodb_buffer_pool_pages_made_young',
    'Innodb_buffer_pool_pages_made_not_young', 'Innodb_buffer_pool_write_requests', 'Innodb_buffer_pool_wait_free',
    'Innodb_data_reads', 'Innodb_data_writes', 'Innodb_data_fsyncs', 'Innodb_data_read', 'Innodb_data_written',
    'Innodb_data_pending_reads', 'Innodb_data_pending_writes', 'Innodb_data_pending_fsyncs',
    'Innodb_dblwr_pages_written', 'Innodb_dblwr_writes', 'Innodb_log_write_requests', 'Innodb_log_writes',
    'Innodb_os_log_fsyncs', 'Innodb_log_waits', 'Innodb_os_log_pending_writes', 'Innodb_os_log_pending_fsyncs',
    'Innodb_row_lock_waits', 'Innodb_row_lock_time', 'Innodb_row_lock_time_max', 'Innodb_row_lock_current_waits'
)
