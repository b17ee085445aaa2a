/* ---
description: Semi-synchronous replication - whether it is at work, and what it costs.
interval: 60s
max_series: 9
metrics:
  dbwatch_mysql_semi_sync_active:
    - {value: source_active, labels: {side: =source}, enum: {"ON": 1, "OFF": 0}}
    - {value: replica_active, labels: {side: =replica}, enum: {"ON": 1, "OFF": 0}}
  dbwatch_mysql_semi_sync_replicas: {value: replicas}
  dbwatch_mysql_semi_sync_waiting_sessions: {value: waiting_sessions}
  dbwatch_mysql_semi_sync_transactions_total:
    - {value: acknowledged, labels: {outcome: =acknowledged}}
    - {value: unacknowledged, labels: {outcome: =unacknowledged}}
  dbwatch_mysql_semi_sync_wait_seconds_total: {value: wait_microseconds, scale: 0.000001}
  dbwatch_mysql_semi_sync_fallbacks_total: {value: fallbacks}
--- */
-- Two spellings of one fact, by the plugin that is loaded; without one nothing is known, and absent. In MariaDB it is
-- built in.
-- @when mariadb
SELECT MAX(IF(s.variable_name = 'RPL_SEMI_SYNC_MASTER_STATUS', s.variable_value, NULL)) AS source_active,
       MAX(IF(s.variable_name = 'RPL_SEMI_SYNC_SLAVE_STATUS', s.variable_value, NULL)) AS replica_active,
       MAX(IF(s.variable_name = 'RPL_SEMI_SYNC_MASTER_CLIENTS', s.variable_value, NULL)) + 0 AS replicas,
       MAX(IF(s.variable_name = 'RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS', s.variable_value, NULL)) + 0 AS waiting_sessions,
       MAX(IF(s.variable_name = 'RPL_SEMI_SYNC_MASTER_YES_TX', s.variable_value, NULL)) + 0 AS acknowledged,
       MAX(IF(s.variable_name = 'RPL_SEMI_SYNC_MASTER_NO_TX', s.variable_value, NULL)) + 0 AS unacknowledged,
       MAX(IF(s.variable_name = 'RPL_SEMI_SYNC_MASTER_TX_WAIT_TIME', s.variable_value, NULL)) + 0 AS wait_microseconds,
       MAX(IF(s.variable_name = 'RPL_SEMI_SYNC_MASTER_NO_TIMES', s.variable_value, NULL)) + 0 AS fallbacks
FROM information_schema.global_status AS s
WHERE s.variable_name IN (
    'RPL_SEMI_SYNC_MASTER_STATUS', 'RPL_SEMI_SYNC_SLAVE_STATUS', 'RPL_SEMI_SYNC_MASTER_CLIENTS',
    'RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS', 'RPL_SEMI_SYNC_MASTER_YES_TX', 'RPL_SEMI_SYNC_MASTER_NO_TX',
    'RPL_SEMI_SYNC_MASTER_TX_WAIT_TIME', 'RPL_SEMI_SYNC_MASTER_NO_TIMES'
)
-- @when not mariadb
SELECT MAX(IF(s.name = 'source_status', s.value, NULL)) AS source_active,
       MAX(IF(s.name = 'replica_status', s.value, NULL)) AS replica_active,
       MAX(IF(s.name = 'source_clients', s.value, NULL)) + 0 AS replicas,
       MAX(IF(s.name = 'source_wait_sessions', s.value, NULL)) + 0 AS waiting_sessions,
       MAX(IF(s.name = 'source_yes_tx', s.value, NULL)) + 0 AS acknowledged,
       MAX(IF(s.name = 'source_no_tx', s.value, NULL)) + 0 AS unacknowledged,
       MAX(IF(s.name = 'source_tx_wait_time', s.value, NULL)) + 0 AS wait_microseconds,
       MAX(IF(s.name = 'source_no_times', s.value, NULL)) + 0 AS fallbacks
FROM (
    SELECT REPLACE(REPLACE(SUBSTRING(g.variable_name, 15), 'master', 'source'), 'slave', 'replica') AS name,
           g.variable_value AS value
    FROM performance_schema.global_status AS g
    WHERE g.variable_name IN (
        'Rpl_semi_sync_master_status', 'Rpl_semi_sync_source_status', 'Rpl_semi_sync_slave_status',
        'Rpl_semi_sync_replica_status', 'Rpl_semi_sync_master_clients', 'Rpl_semi_sync_source_clients',
        'Rpl_semi_sync_master_wait_sessions', 'Rpl_semi_sync_source_wait_sessions',
        'Rpl_semi_sync_master_yes_tx', 'Rpl_semi_sync_source_yes_tx', 'Rpl_semi_sync_master_no_tx',
        'Rpl_semi_sync_source_no_tx', 'Rpl_semi_sync_master_tx_wait_time', 'Rpl_semi_sync_source_tx_wait_time',
        'Rpl_semi_sync_master_no_times', 'Rpl_semi_sync_source_no_times'
    )
) AS s
