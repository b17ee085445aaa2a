/* ---
description: Deadlocks that InnoDB resolved by rolling one transaction back.
interval: 30s
max_series: 1
needs: [process]
metrics:
  dbwatch_deadlocks_total: {value: deadlocks}
--- */
-- No row where somebody switched the counter off: absent, not 0.
-- @when mariadb
SELECT m.count AS deadlocks
FROM information_schema.innodb_metrics AS m
WHERE m.name = 'lock_deadlocks' AND m.enabled = 1
-- @when not mariadb
SELECT m.count AS deadlocks
FROM information_schema.innodb_metrics AS m
WHERE m.name = 'lock_deadlocks' AND m.status = 'enabled'
