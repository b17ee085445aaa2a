/* ---
description: Settings - numbers and switches that matter in operation, and a fingerprint of all of them.
interval: 5m
max_series: 220
metrics:
  dbwatch_setting_value: {value: value, labels: {name: name}}
  dbwatch_settings_hash_info: {value: is_hash, labels: {hash: hash}}
--- */
-- Global values: what our own session set is not among them. Named one by one, because a server has 600 of them: those
-- that a DBA tunes or an auditor asks for. Left out: the sizing of performance_schema, fulltext search, tracing, limits
-- of one statement, mere commands (innodb_buffer_pool_dump_now), and words. Unlimited (2^64 - 1) is absent.
-- Not in seconds or bytes, as their documentation says: max_execution_time and the time-outs of semi-synchronous
-- replication (milliseconds), binlog_commit_wait_usec and binlog_group_commit_sync_delay (microseconds), *_pct (percent).
-- The fingerprint is of every setting, whatever their order; what the server itself moves on is not among them.
-- @when mariadb
WITH setting AS (
    SELECT LOWER(v.variable_name) AS name, v.variable_value AS value
    FROM information_schema.global_variables AS v
)
SELECT s.name,
       CASE WHEN s.value IN ('ON', 'YES') THEN 1
            WHEN s.value IN ('OFF', 'NO') THEN 0
            WHEN s.value = '18446744073709551615' THEN NULL
            WHEN s.value REGEXP '^-?[0-9]+([.][0-9]+)?$' THEN s.value + 0 END AS value,
       NULL AS hash,
       NULL AS is_hash
FROM setting AS s
WHERE s.name IN (
    'aria_checkpoint_interval', 'aria_log_file_size', 'aria_pagecache_buffer_size', 'aria_sort_buffer_size',
    'auto_increment_increment', 'auto_increment_offset', 'autocommit', 'back_log', 'binlog_annotate_row_events',
    'binlog_cache_size', 'binlog_commit_wait_count', 'binlog_commit_wait_usec', 'binlog_expire_logs_seconds',
    'binlog_space_limit', 'binlog_stmt_cache_size', 'bulk_insert_buffer_size', 'connect_timeout',
    'default_password_lifetime', 'disconnect_on_expired_password', 'encrypt_binlog', 'encrypt_tmp_disk_tables',
    'eq_range_index_dive_limit', 'event_scheduler', 'expire_logs_days', 'extra_max_connections', 'extra_port',
    'foreign_key_checks', 'general_log', 'group_concat_max_len', 'gtid_domain_id', 'gtid_strict_mode',
    'host_cache_size', 'idle_readonly_transaction_timeout', 'idle_transaction_timeout',
    'idle_write_transaction_timeout', 'innodb_adaptive_flushing', 'innodb_adaptive_flushing_lwm',
    'innodb_adaptive_hash_index', 'innodb_autoextend_increment', 'innodb_autoinc_lock_mode',
    'innodb_buffer_pool_chunk_size', 'innodb_buffer_pool_dump_at_shutdown', 'innodb_buffer_pool_dump_pct',
    'innodb_buffer_pool_load_at_startup', 'innodb_buffer_pool_size', 'innodb_change_buffer_max_size',
    'innodb_deadlock_detect', 'innodb_doublewrite', 'innodb_encrypt_log', 'innodb_encrypt_tables',
    'innodb_encryption_threads', 'innodb_fast_shutdown', 'innodb_file_per_table', 'innodb_flush_log_at_timeout',
    'innodb_flush_log_at_trx_commit', 'innodb_flush_neighbors', 'innodb_flush_sync', 'innodb_force_recovery',
    'innodb_io_capacity', 'innodb_io_capacity_max', 'innodb_lock_wait_timeout', 'innodb_log_buffer_size',
    'innodb_log_file_size', 'innodb_lru_scan_depth', 'innodb_max_dirty_pages_pct', 'innodb_max_dirty_pages_pct_lwm',
    'innodb_max_purge_lag', 'innodb_max_purge_lag_delay', 'innodb_max_undo_log_size', 'innodb_old_blocks_pct',
    'innodb_old_blocks_time', 'innodb_online_alter_log_max_size', 'innodb_open_files', 'innodb_page_size',
    'innodb_print_all_deadlocks', 'innodb_purge_batch_size', 'innodb_purge_threads', 'innodb_random_read_ahead',
    'innodb_read_ahead_threshold', 'innodb_read_io_threads', 'innodb_read_only', 'innodb_rollback_on_timeout',
    'innodb_snapshot_isolation', 'innodb_sort_buffer_size', 'innodb_stats_auto_recalc', 'innodb_stats_on_metadata',
    'innodb_stats_persistent', 'innodb_stats_persistent_sample_pages', 'innodb_strict_mode',
    'innodb_sync_spin_loops', 'innodb_undo_log_truncate', 'innodb_undo_tablespaces', 'innodb_use_native_aio',
    'innodb_write_io_threads', 'interactive_timeout', 'join_buffer_size', 'key_buffer_size', 'large_pages',
    'local_infile', 'lock_wait_timeout', 'log_bin', 'log_bin_compress', 'log_bin_trust_function_creators',
    'log_queries_not_using_indexes', 'log_slave_updates', 'log_slow_admin_statements', 'log_slow_rate_limit',
    'log_slow_slave_statements', 'log_warnings', 'long_query_time', 'lower_case_table_names', 'max_allowed_packet',
    'max_binlog_size', 'max_binlog_total_size', 'max_connect_errors', 'max_connections', 'max_heap_table_size',
    'max_password_errors', 'max_prepared_stmt_count', 'max_relay_log_size', 'max_statement_time',
    'max_user_connections', 'min_examined_row_limit', 'myisam_sort_buffer_size', 'net_read_timeout',
    'net_write_timeout', 'open_files_limit', 'optimizer_prune_level', 'optimizer_search_depth',
    'performance_schema', 'port', 'query_cache_limit', 'query_cache_size', 'query_cache_type', 'read_buffer_size',
    'read_only', 'read_rnd_buffer_size', 'relay_log_purge', 'relay_log_recovery', 'relay_log_space_limit',
    'require_secure_transport', 'rpl_semi_sync_master_enabled', 'rpl_semi_sync_master_timeout',
    'rpl_semi_sync_slave_enabled', 'server_id', 'skip_grant_tables', 'skip_name_resolve', 'skip_networking',
    'slave_compressed_protocol', 'slave_domain_parallel_threads', 'slave_max_statement_time', 'slave_net_timeout',
    'slave_parallel_max_queued', 'slave_parallel_threads', 'slave_run_triggers_for_rbr',
    'slave_transaction_retries', 'slow_query_log', 'sort_buffer_size', 'stored_program_cache', 'sync_binlog',
    'sync_master_info', 'sync_relay_log', 'sync_relay_log_info', 'table_definition_cache', 'table_open_cache',
    'table_open_cache_instances', 'thread_cache_size', 'thread_pool_idle_timeout', 'thread_pool_max_threads',
    'thread_pool_oversubscribe', 'thread_pool_size', 'thread_pool_stall_limit', 'thread_stack',
    'tmp_disk_table_size', 'tmp_memory_table_size', 'tmp_table_size', 'unique_checks', 'userstat', 'wait_timeout',
    'wsrep_auto_increment_control', 'wsrep_certify_nonpk', 'wsrep_desync', 'wsrep_dirty_reads', 'wsrep_gtid_mode',
    'wsrep_max_ws_rows', 'wsrep_max_ws_size', 'wsrep_on', 'wsrep_retry_autocommit', 'wsrep_slave_threads',
    'wsrep_sync_wait'
)
UNION ALL
SELECT NULL, NULL,
       LOWER(CONCAT(LPAD(HEX(BIT_XOR(CAST(CONV(LEFT(h.digest, 16), 16, 10) AS UNSIGNED))), 16, '0'),
                    LPAD(HEX(BIT_XOR(CAST(CONV(SUBSTRING(h.digest, 17, 16), 16, 10) AS UNSIGNED))), 16, '0'))),
       1
FROM (
    SELECT SHA2(CONCAT(s.name, '=', COALESCE(s.value, '')), 256) AS digest
    FROM setting AS s
    WHERE s.name NOT IN (
        'gtid_binlog_pos', 'gtid_binlog_state', 'gtid_current_pos', 'gtid_slave_pos', 'sql_slave_skip_counter',
        'wsrep_start_position'
    )
) AS h
-- @when not mariadb
WITH setting AS (
    SELECT LOWER(v.variable_name) AS name, v.variable_value AS value
    FROM performance_schema.global_variables AS v
)
SELECT s.name,
       -- (innodb_doublewrite: what only detects a torn page mends none.)
       CASE WHEN s.value IN ('ON', 'YES', 'DETECT_AND_RECOVER') THEN 1
            WHEN s.value IN ('OFF', 'NO', 'DETECT_ONLY') THEN 0
            WHEN s.value = '18446744073709551615' THEN NULL
            WHEN s.value REGEXP '^-?[0-9]+([.][0-9]+)?$' THEN s.value + 0 END AS value,
       NULL AS hash,
       NULL AS is_hash
FROM setting AS s
WHERE s.name IN (
    'activate_all_roles_on_login', 'admin_port', 'auto_increment_increment', 'auto_increment_offset', 'autocommit',
    'back_log', 'binlog_cache_size', 'binlog_encryption', 'binlog_expire_logs_auto_purge',
    'binlog_expire_logs_seconds', 'binlog_group_commit_sync_delay', 'binlog_group_commit_sync_no_delay_count',
    'binlog_order_commits', 'binlog_rows_query_log_events', 'binlog_stmt_cache_size',
    'binlog_transaction_compression', 'bulk_insert_buffer_size', 'connect_timeout', 'connection_memory_limit',
    'default_password_lifetime', 'default_table_encryption', 'disconnect_on_expired_password',
    'enforce_gtid_consistency', 'eq_range_index_dive_limit', 'event_scheduler', 'foreign_key_checks', 'general_log',
    'global_connection_memory_limit', 'global_connection_memory_tracking', 'group_concat_max_len',
    'group_replication_flow_control_applier_threshold', 'group_replication_flow_control_certifier_threshold',
    'group_replication_member_weight', 'group_replication_single_primary_mode', 'group_replication_start_on_boot',
    'gtid_mode', 'host_cache_size', 'information_schema_stats_expiry', 'innodb_adaptive_flushing',
    'innodb_adaptive_flushing_lwm', 'innodb_adaptive_hash_index', 'innodb_autoextend_increment',
    'innodb_autoinc_lock_mode', 'innodb_buffer_pool_chunk_size', 'innodb_buffer_pool_dump_at_shutdown',
    'innodb_buffer_pool_dump_pct', 'innodb_buffer_pool_instances', 'innodb_buffer_pool_load_at_startup',
    'innodb_buffer_pool_size', 'innodb_change_buffer_max_size', 'innodb_ddl_buffer_size', 'innodb_ddl_threads',
    'innodb_deadlock_detect', 'innodb_dedicated_server', 'innodb_doublewrite', 'innodb_fast_shutdown',
    'innodb_file_per_table', 'innodb_flush_log_at_timeout', 'innodb_flush_log_at_trx_commit',
    'innodb_flush_neighbors', 'innodb_flush_sync', 'innodb_force_recovery', 'innodb_io_capacity',
    'innodb_io_capacity_max', 'innodb_lock_wait_timeout', 'innodb_log_buffer_size', 'innodb_log_file_size',
    'innodb_log_files_in_group', 'innodb_log_writer_threads', 'innodb_lru_scan_depth', 'innodb_max_dirty_pages_pct',
    'innodb_max_dirty_pages_pct_lwm', 'innodb_max_purge_lag', 'innodb_max_purge_lag_delay',
    'innodb_max_undo_log_size', 'innodb_old_blocks_pct', 'innodb_old_blocks_time',
    'innodb_online_alter_log_max_size', 'innodb_open_files', 'innodb_page_cleaners', 'innodb_page_size',
    'innodb_parallel_read_threads', 'innodb_print_all_deadlocks', 'innodb_purge_batch_size', 'innodb_purge_threads',
    'innodb_random_read_ahead', 'innodb_read_ahead_threshold', 'innodb_read_io_threads', 'innodb_read_only',
    'innodb_redo_log_capacity', 'innodb_redo_log_encrypt', 'innodb_rollback_on_timeout', 'innodb_rollback_segments',
    'innodb_sort_buffer_size', 'innodb_stats_auto_recalc', 'innodb_stats_on_metadata', 'innodb_stats_persistent',
    'innodb_stats_persistent_sample_pages', 'innodb_strict_mode', 'innodb_sync_spin_loops',
    'innodb_thread_concurrency', 'innodb_undo_log_encrypt', 'innodb_undo_log_truncate', 'innodb_use_native_aio',
    'innodb_write_io_threads', 'interactive_timeout', 'join_buffer_size', 'key_buffer_size', 'large_pages',
    'local_infile', 'lock_wait_timeout', 'log_bin', 'log_bin_trust_function_creators', 'log_error_verbosity',
    'log_queries_not_using_indexes', 'log_replica_updates', 'log_slow_admin_statements', 'log_slow_extra',
    'log_slow_replica_statements', 'log_throttle_queries_not_using_indexes', 'long_query_time',
    'lower_case_table_names', 'max_allowed_packet', 'max_binlog_size', 'max_connect_errors', 'max_connections',
    'max_execution_time', 'max_heap_table_size', 'max_prepared_stmt_count', 'max_relay_log_size',
    'max_user_connections', 'min_examined_row_limit', 'myisam_sort_buffer_size', 'net_read_timeout',
    'net_write_timeout', 'offline_mode', 'open_files_limit', 'optimizer_prune_level', 'optimizer_search_depth',
    'partial_revokes', 'password_history', 'performance_schema', 'port', 'range_optimizer_max_mem_size',
    'read_buffer_size', 'read_only', 'read_rnd_buffer_size', 'relay_log_purge', 'relay_log_recovery',
    'relay_log_space_limit', 'replica_checkpoint_period', 'replica_compressed_protocol', 'replica_net_timeout',
    'replica_parallel_workers', 'replica_pending_jobs_size_max', 'replica_preserve_commit_order',
    'replica_transaction_retries', 'require_secure_transport', 'rpl_semi_sync_master_enabled',
    'rpl_semi_sync_master_timeout', 'rpl_semi_sync_replica_enabled', 'rpl_semi_sync_slave_enabled',
    'rpl_semi_sync_source_enabled', 'rpl_semi_sync_source_timeout', 'rpl_semi_sync_source_wait_for_replica_count',
    'server_id', 'skip_name_resolve', 'skip_networking', 'skip_replica_start', 'slow_query_log', 'sort_buffer_size',
    'sql_generate_invisible_primary_key', 'sql_require_primary_key', 'stored_program_cache', 'super_read_only',
    'sync_binlog', 'sync_relay_log', 'sync_relay_log_info', 'sync_source_info', 'table_definition_cache',
    'table_open_cache', 'table_open_cache_instances', 'temptable_max_mmap', 'temptable_max_ram',
    'thread_cache_size', 'thread_pool_max_transactions_limit', 'thread_pool_size', 'thread_stack', 'tmp_table_size',
    'unique_checks', 'wait_timeout', 'wsrep_desync', 'wsrep_on', 'wsrep_slave_threads', 'wsrep_sync_wait'
)
UNION ALL
SELECT NULL, NULL,
       LOWER(CONCAT(LPAD(HEX(BIT_XOR(CAST(CONV(LEFT(h.digest, 16), 16, 10) AS UNSIGNED))), 16, '0'),
                    LPAD(HEX(BIT_XOR(CAST(CONV(SUBSTRING(h.digest, 17, 16), 16, 10) AS UNSIGNED))), 16, '0'))),
       1
FROM (
    SELECT SHA2(CONCAT(s.name, '=', COALESCE(s.value, '')), 256) AS digest
    FROM setting AS s
    WHERE s.name NOT IN (
        'gtid_executed', 'gtid_owned', 'gtid_purged', 'innodb_thread_sleep_delay', 'sql_replica_skip_counter',
        'sql_slave_skip_counter', 'wsrep_start_position'
    )
) AS h
