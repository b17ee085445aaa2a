/* ---
description: Group replication - this member's state, role, queues and conflicts, and the group as it sees it.
interval: 15s
max_series: 22
needs: [performance_schema]
metrics:
  dbwatch_mysql_group_member_state:
    {value: own_state, states: [online, recovering, offline, error, unreachable]}
  dbwatch_mysql_group_member_role: {value: own_role, states: [primary, secondary], state_label: role}
  dbwatch_mysql_group_members:
    - {value: online, labels: {state: =online}}
    - {value: recovering, labels: {state: =recovering}}
    - {value: offline, labels: {state: =offline}}
    - {value: failed, labels: {state: =error}}
    - {value: unreachable, labels: {state: =unreachable}}
  dbwatch_mysql_group_queue_transactions:
    - {value: certification_queue, labels: {queue: =certification}}
    - {value: applier_queue, labels: {queue: =applier}}
  dbwatch_mysql_group_certification_rows: {value: certification_rows}
  dbwatch_mysql_group_transactions_total:
    - {value: checked, labels: {outcome: =checked}}
    - {value: conflicts, labels: {outcome: =conflict}}
    - {value: applied, labels: {outcome: =applied}}
    - {value: proposed, labels: {outcome: =proposed}}
    - {value: rolled_back, labels: {outcome: =rolled_back}}
--- */
-- Without the plugin there is no row, and so nothing; a member that never joined has no identity yet.
-- @when not mariadb and setting performance_schema = ON
SELECT MAX(IF(m.member_id IN ('', @@global.server_uuid), m.member_state, NULL)) AS own_state,
       MAX(IF(m.member_id IN ('', @@global.server_uuid), m.member_role, NULL)) AS own_role,
       SUM(m.member_state = 'ONLINE') AS online,
       SUM(m.member_state = 'RECOVERING') AS recovering,
       SUM(m.member_state = 'OFFLINE') AS offline,
       SUM(m.member_state = 'ERROR') AS failed,
       SUM(m.member_state = 'UNREACHABLE') AS unreachable,
       MAX(s.count_transactions_in_queue) AS certification_queue,
       MAX(s.count_transactions_remote_in_applier_queue) AS applier_queue,
       MAX(s.count_transactions_rows_validating) AS certification_rows,
       MAX(s.count_transactions_checked) AS checked,
       MAX(s.count_conflicts_detected) AS conflicts,
       MAX(s.count_transactions_remote_applied) AS applied,
       MAX(s.count_transactions_local_proposed) AS proposed,
       MAX(s.count_transactions_local_rollback) AS rolled_back
FROM performance_schema.replication_group_members AS m
LEFT JOIN performance_schema.replication_group_member_stats AS s
       ON s.member_id = m.member_id AND s.member_id = @@global.server_uuid
HAVING COUNT(*) > 0
