/* ---
description: What makes a session of ours harmless, sent once after the login.
--- */
-- lock_wait_timeout and innodb_lock_wait_timeout know whole seconds only.
-- wait_timeout: a session that sleeps between two slow questions must not be ended by the server, which would count an
-- aborted client and warn in its log.
-- join_cache_level 4: hash joins, for what has no index, such as the process list.
-- time_zone: InnoDB tells the start of a transaction in the system's time, whatever the session's zone.
-- @when mariadb >= 11.1
SET SESSION autocommit = 1,
    transaction_read_only = 1,
    lock_wait_timeout = 1,
    innodb_lock_wait_timeout = 1,
    wait_timeout = 86400,
    slow_query_log = 0,
    join_cache_level = 4,
    time_zone = 'SYSTEM',
    sql_mode = 'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY'
-- @when mariadb
SET SESSION autocommit = 1,
    tx_read_only = 1,
    lock_wait_timeout = 1,
    innodb_lock_wait_timeout = 1,
    wait_timeout = 86400,
    slow_query_log = 0,
    join_cache_level = 4,
    time_zone = 'SYSTEM',
    sql_mode = 'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY'
-- @when not mariadb
SET SESSION autocommit = 1,
    transaction_read_only = 1,
    lock_wait_timeout = 1,
    innodb_lock_wait_timeout = 1,
    wait_timeout = 86400,
    long_query_time = 3600,
    time_zone = 'SYSTEM',
    sql_mode = 'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY'
