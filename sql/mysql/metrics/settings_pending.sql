/* ---
description: Settings whose persisted value differs from the one in force, until a restart.
interval: 15m
max_series: 40
needs: [performance_schema]
metrics:
  dbwatch_setting_pending_restart: {value: pending, labels: {name: name}}
--- */
-- SET PERSIST_ONLY, or SET GLOBAL over a persisted value. Where a value comes from and when it was set is told too, and
-- not used: each SET SESSION of any client overwrites it. MariaDB keeps none of this.
-- @when not mariadb
SELECT p.variable_name AS name, 1 AS pending
FROM performance_schema.persisted_variables AS p
JOIN performance_schema.global_variables AS g ON g.variable_name = p.variable_name
WHERE p.variable_value <> g.variable_value
ORDER BY p.variable_name
LIMIT 40
