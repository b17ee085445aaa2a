/* ---
description: Client sessions by database, account, application and state.
interval: 10s
max_series: 500
needs: [process, performance_schema]
accounts: [account]
applications: [application]
metrics:
  dbwatch_sessions:
    {value: sessions, labels: {database: database, user: account, app: application, state: state}}
--- */
-- A sleeping session with an open InnoDB transaction is what holds locks and history: it is told apart.
-- MariaDB keeps the client's name only in its performance_schema, which is off by default.
-- @when mariadb and setting performance_schema = ON and probe instruments
SELECT COALESCE(p.db, '') AS `database`,
       p.user AS account,
       COALESCE(a.attr_value, '') AS application,
       CASE WHEN p.command = 'Sleep' AND t.trx_mysql_thread_id IS NOT NULL THEN 'idle_in_transaction'
            WHEN p.command = 'Sleep' THEN 'idle'
            WHEN p.command IN ('Query', 'Execute', 'Fetch', 'Long Data', 'Prepare') THEN 'active'
            ELSE 'other' END AS state,
       COUNT(*) AS sessions
FROM information_schema.processlist AS p
LEFT JOIN (
    -- DISTINCT: read once, and joined by an index on the fly; MariaDB has none on it.
    SELECT DISTINCT n.processlist_id, n.attr_value
    FROM performance_schema.session_connect_attrs AS n
    WHERE n.attr_name = 'program_name'
) AS a ON a.processlist_id = p.id
LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
WHERE p.command NOT IN ('Daemon', 'Binlog Dump', 'Slave_IO', 'Slave_SQL', 'Slave_worker')
  AND p.user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
GROUP BY 1, 2, 3, 4
UNION ALL
-- Nobody is there: that is a number too, and not a gap.
SELECT '', '', '', 'active', 0
UNION ALL
SELECT '', '', '', 'idle', 0
UNION ALL
SELECT '', '', '', 'idle_in_transaction', 0
-- @when mariadb
SELECT COALESCE(p.db, '') AS `database`,
       p.user AS account,
       '' AS application,
       CASE WHEN p.command = 'Sleep' AND t.trx_mysql_thread_id IS NOT NULL THEN 'idle_in_transaction'
            WHEN p.command = 'Sleep' THEN 'idle'
            WHEN p.command IN ('Query', 'Execute', 'Fetch', 'Long Data', 'Prepare') THEN 'active'
            ELSE 'other' END AS state,
       COUNT(*) AS sessions
FROM information_schema.processlist AS p
LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
WHERE p.command NOT IN ('Daemon', 'Binlog Dump', 'Slave_IO', 'Slave_SQL', 'Slave_worker')
  AND p.user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
GROUP BY 1, 2, 3, 4
UNION ALL
-- Nobody is there: that is a number too, and not a gap.
SELECT '', '', '', 'active', 0
UNION ALL
SELECT '', '', '', 'idle', 0
UNION ALL
SELECT '', '', '', 'idle_in_transaction', 0
-- @when not mariadb and setting performance_schema = ON
SELECT COALESCE(p.db, '') AS `database`,
       p.user AS account,
       COALESCE(a.attr_value, '') AS application,
       CASE WHEN p.command = 'Sleep' AND t.trx_mysql_thread_id IS NOT NULL THEN 'idle_in_transaction'
            WHEN p.command = 'Sleep' THEN 'idle'
            WHEN p.command IN ('Query', 'Execute', 'Fetch', 'Long Data', 'Prepare') THEN 'active'
            ELSE 'other' END AS state,
       COUNT(*) AS sessions
FROM performance_schema.processlist AS p
LEFT JOIN performance_schema.session_connect_attrs AS a
       ON a.processlist_id = p.id AND a.attr_name = 'program_name'
LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
WHERE p.command NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')
  AND p.user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
GROUP BY 1, 2, 3, 4
UNION ALL
-- Nobody is there: that is a number too, and not a gap.
SELECT '', '', '', 'active', 0
UNION ALL
SELECT '', '', '', 'idle', 0
UNION ALL
SELECT '', '', '', 'idle_in_transaction', 0
