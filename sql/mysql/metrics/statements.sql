/* ---
description: Statements by command, and the transactions that clients ended.
interval: 15s
max_series: 50
rows: {key: Variable_name, value: Value}
metrics:
  dbwatch_transactions_total:
    - {value: com_commit, labels: {outcome: =committed}}
    - {value: com_rollback, labels: {outcome: =rolled_back}}
  dbwatch_statements_total:
    - {value: com_select, labels: {command: =select}}
    - {value: com_insert, labels: {command: =insert}}
    - {value: com_insert_select, labels: {command: =insert_select}}
    - {value: com_update, labels: {command: =update}}
    - {value: com_update_multi, labels: {command: =update_multi}}
    - {value: com_delete, labels: {command: =delete}}
    - {value: com_delete_multi, labels: {command: =delete_multi}}
    - {value: com_replace, labels: {command: =replace}}
    - {value: com_replace_select, labels: {command: =replace_select}}
    - {value: com_load, labels: {command: =load}}
    - {value: com_call_procedure, labels: {command: =call_procedure}}
    - {value: com_begin, labels: {command: =begin}}
    - {value: com_savepoint, labels: {command: =savepoint}}
    - {value: com_set_option, labels: {command: =set_option}}
    - {value: com_change_db, labels: {command: =change_db}}
    - {value: com_lock_tables, labels: {command: =lock_tables}}
    - {value: com_create_table, labels: {command: =create_table}}
    - {value: com_alter_table, labels: {command: =alter_table}}
    - {value: com_drop_table, labels: {command: =drop_table}}
    - {value: com_truncate, labels: {command: =truncate}}
    - {value: com_create_index, labels: {command: =create_index}}
    - {value: com_drop_index, labels: {command: =drop_index}}
    - {value: com_analyze, labels: {command: =analyze}}
    - {value: com_optimize, labels: {command: =optimize}}
    - {value: com_stmt_prepare, labels: {command: =stmt_prepare}}
    - {value: com_stmt_execute, labels: {command: =stmt_execute}}
    - {value: com_kill, labels: {command: =kill}}
--- */
-- Transactions are those that a client ended by COMMIT or ROLLBACK; what runs under autocommit is in the statements.
-- Handler_commit was tried and is no count of transactions: it counts each statement within one, and twice what goes
-- into the binary log. MySQL's performance_schema.global_status leaves the Com_ counters out, hence a SHOW.
SHOW GLOBAL STATUS WHERE Variable_name IN (
    'Com_select', 'Com_insert', 'Com_insert_select', 'Com_update', 'Com_update_multi', 'Com_delete',
    'Com_delete_multi', 'Com_replace', 'Com_replace_select', 'Com_load', 'Com_call_procedure',
    'Com_begin', 'Com_commit', 'Com_rollback', 'Com_savepoint', 'Com_set_option', 'Com_change_db',
    'Com_lock_tables', 'Com_create_table', 'Com_alter_table', 'Com_drop_table', 'Com_truncate',
    'Com_create_index', 'Com_drop_index', 'Com_analyze', 'Com_optimize', 'Com_stmt_prepare',
    'Com_stmt_execute', 'Com_kill'
)
