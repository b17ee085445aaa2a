/* ---
description: Statements by command, and the transactions that clients ended.
interval: 15s
max_series: 70
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
    - {value: com_rollback_to_savepoint, labels: {command: =rollback_to_savepoint}}
    - {value: com_release_savepoint, labels: {command: =release_savepoint}}
    - {value: com_create_db, labels: {command: =create_db}}
    - {value: com_drop_db, labels: {command: =drop_db}}
    - {value: com_create_view, labels: {command: =create_view}}
    - {value: com_drop_view, labels: {command: =drop_view}}
    - {value: com_create_user, labels: {command: =create_user}}
    - {value: com_drop_user, labels: {command: =drop_user}}
    - {value: com_alter_user, labels: {command: =alter_user}}
    - {value: com_grant, labels: {command: =grant}}
    - {value: com_revoke, labels: {command: =revoke}}
    - {value: com_set_password, labels: {command: =set_password}}
    - {value: com_flush, labels: {command: =flush}}
    - {value: com_purge, labels: {command: =purge}}
    - {value: com_admin_commands, labels: {command: =admin_commands}}
    - {value: com_check, labels: {command: =check}}
    - {value: com_repair, labels: {command: =repair}}
    - {value: com_stmt_close, labels: {command: =stmt_close}}
    - {value: com_stmt_reprepare, labels: {command: =stmt_reprepare}}
    - {value: com_execute_sql, labels: {command: =execute_sql}}
    - {value: com_prepare_sql, labels: {command: =prepare_sql}}
    - {value: com_xa_commit, labels: {command: =xa_commit}}
    - {value: com_xa_rollback, labels: {command: =xa_rollback}}
    - {value: com_unlock_tables, labels: {command: =unlock_tables}}
    - {value: com_rename_table, labels: {command: =rename_table}}
    - {value: com_create_procedure, labels: {command: =create_procedure}}
    - {value: com_create_function, labels: {command: =create_function}}
    - {value: com_create_trigger, labels: {command: =create_trigger}}
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
    'Com_stmt_execute', 'Com_kill',
    'Com_rollback_to_savepoint', 'Com_release_savepoint', 'Com_create_db', 'Com_drop_db', 'Com_create_view',
    'Com_drop_view', 'Com_create_user', 'Com_drop_user', 'Com_alter_user', 'Com_grant', 'Com_revoke',
    'Com_set_password', 'Com_flush', 'Com_purge', 'Com_admin_commands', 'Com_check', 'Com_repair',
    'Com_stmt_close', 'Com_stmt_reprepare', 'Com_execute_sql', 'Com_prepare_sql', 'Com_xa_commit',
    'Com_xa_rollback', 'Com_unlock_tables', 'Com_rename_table', 'Com_create_procedure', 'Com_create_function',
    'Com_create_trigger'
)
