/* ---
description: Galera (untested on a cluster) - this node's state, queues and conflicts, the cluster as it sees it.
interval: 30s
max_series: 24
metrics:
  dbwatch_mysql_galera_cluster_size: {value: size}
  dbwatch_mysql_galera_cluster_status:
    {value: status, states: [primary, non-primary, disconnected], state_label: status}
  dbwatch_mysql_galera_node_state: {value: state, states: [undefined, joining, donor, joined, synced]}
  dbwatch_mysql_galera_ready: {value: ready, enum: {"ON": 1, "OFF": 0}}
  dbwatch_mysql_galera_connected: {value: connected, enum: {"ON": 1, "OFF": 0}}
  dbwatch_mysql_galera_queue_length:
    - {value: receive_queue, labels: {queue: =receive}}
    - {value: send_queue, labels: {queue: =send}}
  dbwatch_mysql_galera_flow_control_paused_seconds_total: {value: paused_nanoseconds, scale: 0.000000001}
  dbwatch_mysql_galera_flow_control_messages_total:
    - {value: pauses_sent, labels: {direction: =sent}}
    - {value: pauses_received, labels: {direction: =received}}
  dbwatch_mysql_galera_write_sets_total:
    - {value: sets_received, labels: {direction: =received}}
    - {value: sets_replicated, labels: {direction: =sent}}
  dbwatch_mysql_galera_write_set_bytes_total:
    - {value: bytes_received, labels: {direction: =received}}
    - {value: bytes_replicated, labels: {direction: =sent}}
  dbwatch_mysql_galera_conflicts_total:
    - {value: certification_failures, labels: {kind: =certification}}
    - {value: brute_force_aborts, labels: {kind: =brute_force}}
--- */
-- Untested on a cluster: written from the documentation of Galera 4. Where no provider is loaded there is no row: the
-- zeros that MariaDB shows then are nobody's.
-- @when mariadb
SELECT MAX(IF(s.variable_name = 'WSREP_CLUSTER_SIZE', s.variable_value, NULL)) + 0 AS size,
       MAX(IF(s.variable_name = 'WSREP_CLUSTER_STATUS', s.variable_value, NULL)) AS status,
       ELT(MAX(IF(s.variable_name = 'WSREP_LOCAL_STATE', s.variable_value, NULL)) + 1,
           'undefined', 'joining', 'donor', 'joined', 'synced') AS state,
       MAX(IF(s.variable_name = 'WSREP_READY', s.variable_value, NULL)) AS ready,
       MAX(IF(s.variable_name = 'WSREP_CONNECTED', s.variable_value, NULL)) AS connected,
       MAX(IF(s.variable_name = 'WSREP_LOCAL_RECV_QUEUE', s.variable_value, NULL)) + 0 AS receive_queue,
       MAX(IF(s.variable_name = 'WSREP_LOCAL_SEND_QUEUE', s.variable_value, NULL)) + 0 AS send_queue,
       MAX(IF(s.variable_name = 'WSREP_FLOW_CONTROL_PAUSED_NS', s.variable_value, NULL)) + 0 AS paused_nanoseconds,
       MAX(IF(s.variable_name = 'WSREP_FLOW_CONTROL_SENT', s.variable_value, NULL)) + 0 AS pauses_sent,
       MAX(IF(s.variable_name = 'WSREP_FLOW_CONTROL_RECV', s.variable_value, NULL)) + 0 AS pauses_received,
       MAX(IF(s.variable_name = 'WSREP_RECEIVED', s.variable_value, NULL)) + 0 AS sets_received,
       MAX(IF(s.variable_name = 'WSREP_REPLICATED', s.variable_value, NULL)) + 0 AS sets_replicated,
       MAX(IF(s.variable_name = 'WSREP_RECEIVED_BYTES', s.variable_value, NULL)) + 0 AS bytes_received,
       MAX(IF(s.variable_name = 'WSREP_REPLICATED_BYTES', s.variable_value, NULL)) + 0 AS bytes_replicated,
       MAX(IF(s.variable_name = 'WSREP_LOCAL_CERT_FAILURES', s.variable_value, NULL)) + 0 AS certification_failures,
       MAX(IF(s.variable_name = 'WSREP_LOCAL_BF_ABORTS', s.variable_value, NULL)) + 0 AS brute_force_aborts
FROM information_schema.global_status AS s
WHERE s.variable_name IN (
    'WSREP_CLUSTER_SIZE', 'WSREP_CLUSTER_STATUS', 'WSREP_LOCAL_STATE', 'WSREP_READY', 'WSREP_CONNECTED',
    'WSREP_LOCAL_RECV_QUEUE', 'WSREP_LOCAL_SEND_QUEUE', 'WSREP_FLOW_CONTROL_PAUSED_NS', 'WSREP_FLOW_CONTROL_SENT',
    'WSREP_FLOW_CONTROL_RECV', 'WSREP_RECEIVED', 'WSREP_REPLICATED', 'WSREP_RECEIVED_BYTES',
    'WSREP_REPLICATED_BYTES', 'WSREP_LOCAL_CERT_FAILURES', 'WSREP_LOCAL_BF_ABORTS'
)
HAVING EXISTS (
    SELECT 1
    FROM information_schema.global_variables AS v
    WHERE v.variable_name = 'WSREP_ON' AND v.variable_value = 'ON'
)
-- @when percona
SELECT MAX(IF(s.variable_name = 'wsrep_cluster_size', s.variable_value, NULL)) + 0 AS size,
       MAX(IF(s.variable_name = 'wsrep_cluster_status', s.variable_value, NULL)) AS status,
       ELT(MAX(IF(s.variable_name = 'wsrep_local_state', s.variable_value, NULL)) + 1,
           'undefined', 'joining', 'donor', 'joined', 'synced') AS state,
       MAX(IF(s.variable_name = 'wsrep_ready', s.variable_value, NULL)) AS ready,
       MAX(IF(s.variable_name = 'wsrep_connected', s.variable_value, NULL)) AS connected,
       MAX(IF(s.variable_name = 'wsrep_local_recv_queue', s.variable_value, NULL)) + 0 AS receive_queue,
       MAX(IF(s.variable_name = 'wsrep_local_send_queue', s.variable_value, NULL)) + 0 AS send_queue,
       MAX(IF(s.variable_name = 'wsrep_flow_control_paused_ns', s.variable_value, NULL)) + 0 AS paused_nanoseconds,
       MAX(IF(s.variable_name = 'wsrep_flow_control_sent', s.variable_value, NULL)) + 0 AS pauses_sent,
       MAX(IF(s.variable_name = 'wsrep_flow_control_recv', s.variable_value, NULL)) + 0 AS pauses_received,
       MAX(IF(s.variable_name = 'wsrep_received', s.variable_value, NULL)) + 0 AS sets_received,
       MAX(IF(s.variable_name = 'wsrep_replicated', s.variable_value, NULL)) + 0 AS sets_replicated,
       MAX(IF(s.variable_name = 'wsrep_received_bytes', s.variable_value, NULL)) + 0 AS bytes_received,
       MAX(IF(s.variable_name = 'wsrep_replicated_bytes', s.variable_value, NULL)) + 0 AS bytes_replicated,
       MAX(IF(s.variable_name = 'wsrep_local_cert_failures', s.variable_value, NULL)) + 0 AS certification_failures,
       MAX(IF(s.variable_name = 'wsrep_local_bf_aborts', s.variable_value, NULL)) + 0 AS brute_force_aborts
FROM performance_schema.global_status AS s
WHERE s.variable_name IN (
    'wsrep_cluster_size', 'wsrep_cluster_status', 'wsrep_local_state', 'wsrep_ready', 'wsrep_connected',
    'wsrep_local_recv_queue', 'wsrep_local_send_queue', 'wsrep_flow_control_paused_ns', 'wsrep_flow_control_sent',
    'wsrep_flow_control_recv', 'wsrep_received', 'wsrep_replicated', 'wsrep_received_bytes',
    'wsrep_replicated_bytes', 'wsrep_local_cert_failures', 'wsrep_local_bf_aborts'
)
HAVING EXISTS (
    SELECT 1
    FROM performance_schema.global_variables AS v
    WHERE v.variable_name = 'wsrep_on' AND v.variable_value = 'ON'
)
