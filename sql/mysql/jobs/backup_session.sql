/* ---
description: What a session of a backup sets once, after what every session of ours sets.
--- */
-- {seconds}: how long a statement waits for a lock of the application's. Values are written alike on every server.
-- @when mariadb >= 11.1
SET SESSION transaction_isolation = 'REPEATABLE-READ',
    lock_wait_timeout = {seconds},
    time_zone = '+00:00',
    sql_mode = '',
    group_concat_max_len = 8388608
-- @when mariadb < 11.1
SET SESSION tx_isolation = 'REPEATABLE-READ',
    lock_wait_timeout = {seconds},
    time_zone = '+00:00',
    sql_mode = '',
    group_concat_max_len = 8388608
-- @when not mariadb
SET SESSION transaction_isolation = 'REPEATABLE-READ',
    lock_wait_timeout = {seconds},
    time_zone = '+00:00',
    sql_mode = '',
    group_concat_max_len = 8388608
