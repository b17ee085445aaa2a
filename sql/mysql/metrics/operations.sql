/* ---
description: Counters of the SQL layer - queries, plans, sorts, caches, network, and the long tail of the status.
interval: 60s
max_series: 150
rows: {key: Variable_name, value: Value}
metrics:
  dbwatch_mysql_questions_total: {value: questions}
  dbwatch_mysql_queries_total: {value: queries}
  dbwatch_mysql_slow_queries_total: {value: slow_queries}
  dbwatch_mysql_query_time_limit_exceeded_total:
    - {value: max_execution_time_exceeded}
    - {value: max_statement_time_exceeded}
  dbwatch_mysql_network_bytes_total:
    - {value: bytes_received, labels: {direction: =received}}
    - {value: bytes_sent, labels: {direction: =sent}}
  dbwatch_mysql_threads_created_total: {value: threads_created}
  dbwatch_mysql_sessions_used_max: {value: max_used_connections}
  dbwatch_mysql_handler_calls_total:
    - {value: handler_commit, labels: {operation: =commit}}
    - {value: handler_delete, labels: {operation: =delete}}
    - {value: handler_discover, labels: {operation: =discover}}
    - {value: handler_external_lock, labels: {operation: =external_lock}}
    - {value: handler_icp_attempts, labels: {operation: =icp_attempts}}
    - {value: handler_icp_match, labels: {operation: =icp_match}}
    - {value: handler_mrr_init, labels: {operation: =mrr_init}}
    - {value: handler_prepare, labels: {operation: =prepare}}
    - {value: handler_read_first, labels: {operation: =read_first}}
    - {value: handler_read_key, labels: {operation: =read_key}}
    - {value: handler_read_last, labels: {operation: =read_last}}
    - {value: handler_read_next, labels: {operation: =read_next}}
    - {value: handler_read_prev, labels: {operation: =read_prev}}
    - {value: handler_read_retry, labels: {operation: =read_retry}}
    - {value: handler_read_rnd, labels: {operation: =read_rnd}}
    - {value: handler_read_rnd_deleted, labels: {operation: =read_rnd_deleted}}
    - {value: handler_read_rnd_next, labels: {operation: =read_rnd_next}}
    - {value: handler_rollback, labels: {operation: =rollback}}
    - {value: handler_savepoint, labels: {operation: =savepoint}}
    - {value: handler_savepoint_rollback, labels: {operation: =savepoint_rollback}}
    - {value: handler_tmp_delete, labels: {operation: =tmp_delete}}
    - {value: handler_tmp_update, labels: {operation: =tmp_update}}
    - {value: handler_tmp_write, labels: {operation: =tmp_write}}
    - {value: handler_update, labels: {operation: =update}}
    - {value: handler_write, labels: {operation: =write}}
  dbwatch_mysql_select_plans_total:
    - {value: select_full_join, labels: {plan: =full_join}}
    - {value: select_full_range_join, labels: {plan: =full_range_join}}
    - {value: select_range, labels: {plan: =range}}
    - {value: select_range_check, labels: {plan: =range_check}}
    - {value: select_scan, labels: {plan: =scan}}
  dbwatch_mysql_sorts_total:
    - {value: sort_range, labels: {kind: =range}}
    - {value: sort_scan, labels: {kind: =scan}}
    - {value: sort_priority_queue_sorts, labels: {kind: =priority_queue}}
  dbwatch_mysql_sort_rows_total: {value: sort_rows}
  dbwatch_mysql_sort_merge_passes_total: {value: sort_merge_passes}
  dbwatch_mysql_temp_tables_total: {value: created_tmp_tables}
  dbwatch_mysql_table_cache_lookups_total:
    - {value: table_open_cache_hits, labels: {result: =hit}}
    - {value: table_open_cache_misses, labels: {result: =miss}}
    - {value: table_open_cache_overflows, labels: {result: =overflow}}
  dbwatch_mysql_open:
    - {value: open_tables, labels: {object: =tables}}
    - {value: open_table_definitions, labels: {object: =table_definitions}}
    - {value: open_files, labels: {object: =files}}
    - {value: open_streams, labels: {object: =streams}}
    - {value: innodb_num_open_files, labels: {object: =innodb_files}}
  dbwatch_mysql_opened_total:
    - {value: opened_tables, labels: {object: =tables}}
    - {value: opened_table_definitions, labels: {object: =table_definitions}}
    - {value: opened_files, labels: {object: =files}}
    - {value: opened_views, labels: {object: =views}}
  dbwatch_mysql_table_locks_total:
    - {value: table_locks_immediate, labels: {outcome: =immediate}}
    - {value: table_locks_waited, labels: {outcome: =waited}}
  dbwatch_mysql_prepared_statements: {value: prepared_stmt_count}
  dbwatch_mysql_tls_handshakes_total:
    - {value: ssl_accepts, labels: {outcome: =begun}}
    - {value: ssl_finished_accepts, labels: {outcome: =finished}}
  dbwatch_mysql_binlog_cache_uses_total:
    - {value: binlog_cache_use, labels: {cache: =transaction}}
    - {value: binlog_stmt_cache_use, labels: {cache: =statement}}
  dbwatch_mysql_binlog_cache_disk_uses_total:
    - {value: binlog_cache_disk_use, labels: {cache: =transaction}}
    - {value: binlog_stmt_cache_disk_use, labels: {cache: =statement}}
  dbwatch_mysql_status_total:
    - {value: access_denied_errors, labels: {name: =access_denied_errors}}
    - {value: aborted_connects_preauth, labels: {name: =aborted_connects_preauth}}
    - {value: locked_connects, labels: {name: =locked_connects}}
    - {value: created_tmp_files, labels: {name: =created_tmp_files}}
    - {value: slow_launch_threads, labels: {name: =slow_launch_threads}}
    - {value: key_read_requests, labels: {name: =key_read_requests}}
    - {value: key_reads, labels: {name: =key_reads}}
    - {value: key_write_requests, labels: {name: =key_write_requests}}
    - {value: key_writes, labels: {name: =key_writes}}
    - {value: qcache_hits, labels: {name: =qcache_hits}}
    - {value: qcache_inserts, labels: {name: =qcache_inserts}}
    - {value: qcache_lowmem_prunes, labels: {name: =qcache_lowmem_prunes}}
    - {value: qcache_not_cached, labels: {name: =qcache_not_cached}}
    - {value: aria_pagecache_read_requests, labels: {name: =aria_pagecache_read_requests}}
    - {value: aria_pagecache_reads, labels: {name: =aria_pagecache_reads}}
    - {value: aria_pagecache_write_requests, labels: {name: =aria_pagecache_write_requests}}
    - {value: aria_pagecache_writes, labels: {name: =aria_pagecache_writes}}
    - {value: aria_transaction_log_syncs, labels: {name: =aria_transaction_log_syncs}}
    - {value: binlog_commits, labels: {name: =binlog_commits}}
    - {value: binlog_group_commits, labels: {name: =binlog_group_commits}}
    - {value: rows_sent, labels: {name: =rows_sent}}
    - {value: rows_tmp_read, labels: {name: =rows_tmp_read}}
    - {value: empty_queries, labels: {name: =empty_queries}}
    - {value: executed_triggers, labels: {name: =executed_triggers}}
    - {value: executed_events, labels: {name: =executed_events}}
    - {value: update_scan, labels: {name: =update_scan}}
    - {value: delete_scan, labels: {name: =delete_scan}}
    - {value: subquery_cache_hit, labels: {name: =subquery_cache_hit}}
    - {value: subquery_cache_miss, labels: {name: =subquery_cache_miss}}
    - {value: syncs, labels: {name: =syncs}}
    - {value: tc_log_page_waits, labels: {name: =tc_log_page_waits}}
    - {value: slave_skipped_errors, labels: {name: =slave_skipped_errors}}
    - {value: transactions_multi_engine, labels: {name: =transactions_multi_engine}}
    - {value: count_hit_tmp_table_size, labels: {name: =count_hit_tmp_table_size}}
    - {value: temptable_count_hit_max_ram, labels: {name: =temptable_count_hit_max_ram}}
    - {value: error_log_expired_events, labels: {name: =error_log_expired_events}}
    - {value: secondary_engine_execution_count, labels: {name: =secondary_engine_execution_count}}
    - {value: ssl_session_cache_hits, labels: {name: =ssl_session_cache_hits}}
    - {value: ssl_session_cache_misses, labels: {name: =ssl_session_cache_misses}}
    - {value: ssl_accept_renegotiates, labels: {name: =ssl_accept_renegotiates}}
    - {value: master_gtid_wait_count, labels: {name: =master_gtid_wait_count}}
    - {value: master_gtid_wait_timeouts, labels: {name: =master_gtid_wait_timeouts}}
    - {value: delayed_errors, labels: {name: =delayed_errors}}
    - {value: delayed_writes, labels: {name: =delayed_writes}}
    - {value: slave_retried_transactions, labels: {name: =slave_retried_transactions}}
    - {value: slave_received_heartbeats, labels: {name: =slave_received_heartbeats}}
  dbwatch_mysql_status_value:
    - {value: key_blocks_unused, labels: {name: =key_blocks_unused}}
    - {value: key_blocks_used, labels: {name: =key_blocks_used}}
    - {value: key_blocks_not_flushed, labels: {name: =key_blocks_not_flushed}}
    - {value: qcache_free_memory, labels: {name: =qcache_free_memory}}
    - {value: qcache_free_blocks, labels: {name: =qcache_free_blocks}}
    - {value: qcache_queries_in_cache, labels: {name: =qcache_queries_in_cache}}
    - {value: qcache_total_blocks, labels: {name: =qcache_total_blocks}}
    - {value: aria_pagecache_blocks_unused, labels: {name: =aria_pagecache_blocks_unused}}
    - {value: aria_pagecache_blocks_used, labels: {name: =aria_pagecache_blocks_used}}
    - {value: aria_pagecache_blocks_not_flushed, labels: {name: =aria_pagecache_blocks_not_flushed}}
    - {value: threadpool_threads, labels: {name: =threadpool_threads}}
    - {value: threadpool_idle_threads, labels: {name: =threadpool_idle_threads}}
    - {value: delayed_insert_threads, labels: {name: =delayed_insert_threads}}
    - {value: not_flushed_delayed_rows, labels: {name: =not_flushed_delayed_rows}}
    - {value: slave_open_temp_tables, labels: {name: =slave_open_temp_tables}}
    - {value: replica_open_temp_tables, labels: {name: =replica_open_temp_tables}}
    - {value: ongoing_anonymous_transaction_count, labels: {name: =ongoing_anonymous_transaction_count}}
    - {value: global_connection_memory, labels: {name: =global_connection_memory}}
    - {value: acl_cache_items_count, labels: {name: =acl_cache_items_count}}
    - {value: ssl_used_session_cache_entries, labels: {name: =ssl_used_session_cache_entries}}
    - {value: uptime_since_flush_status, labels: {name: =uptime_since_flush_status}}
--- */
-- A SHOW: turned into one row by SQL, the same counters cost the server four times as much. What a version does not count
-- has no row, and so no sample.
SHOW GLOBAL STATUS WHERE Variable_name IN (
    'Questions', 'Queries', 'Slow_queries', 'Max_execution_time_exceeded', 'Max_statement_time_exceeded',
    'Bytes_received', 'Bytes_sent', 'Threads_created', 'Max_used_connections', 'Handler_commit', 'Handler_delete',
    'Handler_discover', 'Handler_external_lock', 'Handler_icp_attempts', 'Handler_icp_match', 'Handler_mrr_init',
    'Handler_prepare', 'Handler_read_first', 'Handler_read_key', 'Handler_read_last', 'Handler_read_next',
    'Handler_read_prev', 'Handler_read_retry', 'Handler_read_rnd', 'Handler_read_rnd_deleted',
    'Handler_read_rnd_next', 'Handler_rollback', 'Handler_savepoint', 'Handler_savepoint_rollback',
    'Handler_tmp_delete', 'Handler_tmp_update', 'Handler_tmp_write', 'Handler_update', 'Handler_write',
    'Select_full_join', 'Select_full_range_join', 'Select_range', 'Select_range_check', 'Select_scan', 'Sort_range',
    'Sort_scan', 'Sort_priority_queue_sorts', 'Sort_rows', 'Sort_merge_passes', 'Created_tmp_tables',
    'Table_open_cache_hits', 'Table_open_cache_misses', 'Table_open_cache_overflows', 'Open_tables',
    'Open_table_definitions', 'Open_files', 'Open_streams', 'Innodb_num_open_files', 'Opened_tables',
    'Opened_table_definitions', 'Opened_files', 'Opened_views', 'Table_locks_immediate', 'Table_locks_waited',
    'Prepared_stmt_count', 'Ssl_accepts', 'Ssl_finished_accepts', 'Binlog_cache_use', 'Binlog_stmt_cache_use',
    'Binlog_cache_disk_use', 'Binlog_stmt_cache_disk_use', 'Access_denied_errors', 'Aborted_connects_preauth',
    'Locked_connects', 'Created_tmp_files', 'Slow_launch_threads', 'Key_read_requests', 'Key_reads',
    'Key_write_requests', 'Key_writes', 'Qcache_hits', 'Qcache_inserts', 'Qcache_lowmem_prunes',
    'Qcache_not_cached', 'Aria_pagecache_read_requests', 'Aria_pagecache_reads', 'Aria_pagecache_write_requests',
    'Aria_pagecache_writes', 'Aria_transaction_log_syncs', 'Binlog_commits', 'Binlog_group_commits', 'Rows_sent',
    'Rows_tmp_read', 'Empty_queries', 'Executed_triggers', 'Executed_events', 'Update_scan', 'Delete_scan',
    'Subquery_cache_hit', 'Subquery_cache_miss', 'Syncs', 'Tc_log_page_waits', 'Slave_skipped_errors',
    'Transactions_multi_engine', 'Count_hit_tmp_table_size', 'TempTable_count_hit_max_ram', 'Error_log_expired_events',
    'Secondary_engine_execution_count', 'Ssl_session_cache_hits', 'Ssl_session_cache_misses',
    'Ssl_accept_renegotiates', 'Master_gtid_wait_count', 'Master_gtid_wait_timeouts', 'Delayed_errors',
    'Delayed_writes', 'Slave_retried_transactions', 'Slave_received_heartbeats', 'Key_blocks_unused',
    'Key_blocks_used', 'Key_blocks_not_flushed', 'Qcache_free_memory', 'Qcache_free_blocks',
    'Qcache_queries_in_cache', 'Qcache_total_blocks', 'Aria_pagecache_blocks_unused', 'Aria_pagecache_blocks_used',
    'Aria_pagecache_blocks_not_flushed', 'Threadpool_threads', 'Threadpool_idle_threads', 'Delayed_insert_threads',
    'Not_flushed_delayed_rows', 'Slave_open_temp_tables', 'Replica_open_temp_tables',
    'Ongoing_anonymous_transaction_count', 'Global_connection_memory', 'Acl_cache_items_count',
    'Ssl_used_session_cache_entries', 'Uptime_since_flush_status'
)
