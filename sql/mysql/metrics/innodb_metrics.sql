/* ---
description: InnoDB's own counters - purge, lock time-outs, adaptive hash index, internal locks.
interval: 60s
max_series: 8
needs: [process]
rows: {key: name, value: count}
metrics:
  dbwatch_mysql_history_list_length: {value: trx_rseg_history_len}
  dbwatch_mysql_lock_wait_timeouts_total: {value: lock_timeouts}
  dbwatch_mysql_adaptive_hash_searches_total:
    - {value: adaptive_hash_searches, labels: {by: =hash_index}}
    - {value: adaptive_hash_searches_btree, labels: {by: =btree}}
  dbwatch_mysql_change_buffer_merges_total: {value: ibuf_merges}
  dbwatch_mysql_rwlock_os_waits_total:
    - {value: innodb_rwlock_s_os_waits, labels: {mode: =shared}}
    - {value: innodb_rwlock_sx_os_waits, labels: {mode: =shared_exclusive}}
    - {value: innodb_rwlock_x_os_waits, labels: {mode: =exclusive}}
--- */
-- No row where somebody switched a counter off, or a version has none: absent, not 0.
-- @when mariadb
SELECT m.name, m.count
FROM information_schema.innodb_metrics AS m
WHERE m.enabled = 1
  AND m.name IN ('trx_rseg_history_len', 'lock_timeouts', 'adaptive_hash_searches', 'adaptive_hash_searches_btree',
                 'ibuf_merges', 'innodb_rwlock_s_os_waits', 'innodb_rwlock_sx_os_waits', 'innodb_rwlock_x_os_waits')
-- @when not mariadb
SELECT m.name, m.count
FROM information_schema.innodb_metrics AS m
WHERE m.status = 'enabled'
  AND m.name IN ('trx_rseg_history_len', 'lock_timeouts', 'adaptive_hash_searches', 'adaptive_hash_searches_btree',
                 'ibuf_merges', 'innodb_rwlock_s_os_waits', 'innodb_rwlock_sx_os_waits', 'innodb_rwlock_x_os_waits')
