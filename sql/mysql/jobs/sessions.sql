/* ---
description: Client sessions now, those at work first.
timeout: 2s
needs: [process, performance_schema]
--- */
-- The text of a query is never shown: its digest, or on MariaDB a hash of the text without its constants.
-- @when mariadb
WITH RECURSIVE edge AS (
    SELECT DISTINCT r.trx_mysql_thread_id AS waiter, b.trx_mysql_thread_id AS blocker
    FROM information_schema.innodb_lock_waits AS w
    JOIN information_schema.innodb_trx AS r ON r.trx_id = w.requesting_trx_id
    JOIN information_schema.innodb_trx AS b ON b.trx_id = w.blocking_trx_id
    WHERE b.trx_requested_lock_id IS NULL OR b.trx_requested_lock_id <> w.blocking_lock_id
),
-- Each waiter with the blocker at the root of its chain; the limit of 20 ends a circle.
chain (waiter, root, depth) AS (
    SELECT e.waiter, e.blocker, 1
    FROM edge AS e
    WHERE e.blocker NOT IN (SELECT x.waiter FROM edge AS x)
    UNION
    SELECT e.waiter, c.root, c.depth + 1
    FROM chain AS c
    JOIN edge AS e ON e.blocker = c.waiter
    WHERE c.depth < 20
)
(SELECT p.id AS pid, p.user AS user, '' AS application, COALESCE(p.db, '') AS `database`,
       CASE WHEN p.command = 'Sleep' AND t.trx_mysql_thread_id IS NOT NULL THEN 'idle_in_transaction'
            WHEN p.command = 'Sleep' THEN 'idle'
            WHEN p.command IN ('Query', 'Execute', 'Fetch', 'Long Data', 'Prepare') THEN 'active'
            ELSE 'other' END AS state,
       ROUND(p.time_ms / 1000, 1) AS age_seconds,
       IF(p.command = 'Sleep', NULL, NULLIF(p.state, '')) AS wait,
       (SELECT MIN(e.blocker) FROM edge AS e WHERE e.waiter = p.id) AS blocked_by,
       (SELECT MIN(c.root) FROM chain AS c WHERE c.waiter = p.id) AS root_blocker,
       MD5(REGEXP_REPLACE(p.info, '''[^'']*''|[0-9]+', '?')) AS fingerprint
FROM information_schema.processlist AS p
LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
WHERE p.command <> 'Daemon'
  AND p.user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
ORDER BY p.command = 'Sleep', age_seconds DESC
LIMIT 500)
UNION ALL
-- Transactions that no session holds: prepared (XA), or undone after a crash.
(SELECT 0, '', '', '', IF(b.trx_state = 'ROLLING BACK', 'rolling_back', 'prepared'),
        UNIX_TIMESTAMP() - UNIX_TIMESTAMP(b.trx_started), NULL, NULL, NULL, NULL
FROM information_schema.innodb_trx AS b
WHERE b.trx_mysql_thread_id = 0 AND COALESCE(b.trx_operation_state, '') = ''
  AND UNIX_TIMESTAMP() - UNIX_TIMESTAMP(b.trx_started) >= 5
ORDER BY b.trx_started
LIMIT 100)
-- @when not mariadb and setting performance_schema = ON
WITH RECURSIVE waiting AS (
    SELECT PS_THREAD_ID(p.id) AS thread_id, t.trx_id,
           IF(t.trx_id IS NULL, p.time, UNIX_TIMESTAMP() - UNIX_TIMESTAMP(t.trx_wait_started)) AS seconds
    FROM performance_schema.processlist AS p
    LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id AND t.trx_state = 'LOCK WAIT'
    WHERE t.trx_id IS NOT NULL
       OR p.state LIKE 'Waiting for%lock' OR p.state IN ('User lock', 'Waiting for table flush')
    LIMIT 100000
),
-- Transactions that no session holds (thread 0): their locks bear a thread that is gone, or that of the waiter itself.
detached AS (
    SELECT t.trx_id FROM information_schema.innodb_trx AS t WHERE t.trx_mysql_thread_id = 0 LIMIT 1000
),
row_wait AS (
    SELECT w.thread_id AS waiter, IF(z.trx_id IS NULL, d.blocking_thread_id, 0) AS blocker,
           d.requesting_engine_lock_id AS lock_id, d.blocking_engine_lock_id AS blocking_lock_id
    FROM waiting AS w
    STRAIGHT_JOIN performance_schema.data_lock_waits AS d ON d.requesting_thread_id = w.thread_id
    LEFT JOIN detached AS z ON z.trx_id = d.blocking_engine_transaction_id
    WHERE w.trx_id IS NOT NULL
),
-- A request for an exclusive metadata lock (ALTER TABLE) waits for all who hold one; the others wait for whoever holds,
-- or asks for, an exclusive one.
metadata_wait AS (
    SELECT w.thread_id AS waiter, b.owner_thread_id AS blocker
    FROM waiting AS w
    STRAIGHT_JOIN performance_schema.metadata_locks AS m
               ON m.owner_thread_id = w.thread_id AND m.lock_status = 'PENDING'
    STRAIGHT_JOIN performance_schema.metadata_locks AS b
               ON b.object_type = m.object_type AND b.object_schema <=> m.object_schema
              AND b.object_name <=> m.object_name AND b.owner_thread_id <> m.owner_thread_id
    WHERE w.trx_id IS NULL
      AND IF(m.lock_type = 'EXCLUSIVE', b.lock_status = 'GRANTED',
             b.lock_type IN ('EXCLUSIVE', 'SHARED_NO_READ_WRITE', 'SHARED_NO_WRITE'))
),
edge AS (
    SELECT r.waiter, r.blocker
    FROM row_wait AS r
    WHERE r.blocking_lock_id NOT IN (SELECT q.lock_id FROM row_wait AS q)
    UNION
    SELECT m.waiter, m.blocker FROM metadata_wait AS m
),
-- Each waiter with the blocker at the root of its chain; the limit of 20 ends a circle.
chain (waiter, root, depth) AS (
    SELECT e.waiter, e.blocker, 1
    FROM edge AS e
    WHERE e.blocker NOT IN (SELECT x.waiter FROM edge AS x)
    UNION
    SELECT e.waiter, c.root, c.depth + 1
    FROM chain AS c
    JOIN edge AS e ON e.blocker = c.waiter
    WHERE c.depth < 20
)
(SELECT p.id AS pid, p.user AS user, COALESCE(a.attr_value, '') AS application,
       COALESCE(p.db, '') AS `database`,
       CASE WHEN p.command = 'Sleep' AND t.trx_mysql_thread_id IS NOT NULL THEN 'idle_in_transaction'
            WHEN p.command = 'Sleep' THEN 'idle'
            WHEN p.command IN ('Query', 'Execute', 'Fetch', 'Long Data', 'Prepare') THEN 'active'
            ELSE 'other' END AS state,
       p.time AS age_seconds,
       IF(p.command = 'Sleep', NULL, NULLIF(p.state, '')) AS wait,
       (SELECT MIN(IF(e.blocker = 0, 0, h.processlist_id))
        FROM edge AS e
        LEFT JOIN performance_schema.threads AS h ON h.thread_id = e.blocker
        WHERE e.waiter = PS_THREAD_ID(p.id)) AS blocked_by,
       (SELECT MIN(IF(c.root = 0, 0, h.processlist_id))
        FROM chain AS c
        LEFT JOIN performance_schema.threads AS h ON h.thread_id = c.root
        WHERE c.waiter = PS_THREAD_ID(p.id)) AS root_blocker,
       MAX(s.digest) AS fingerprint
FROM performance_schema.processlist AS p
LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id
LEFT JOIN performance_schema.session_connect_attrs AS a
       ON a.processlist_id = p.id AND a.attr_name = 'program_name'
LEFT JOIN performance_schema.events_statements_current AS s ON s.thread_id = PS_THREAD_ID(p.id)
WHERE p.command <> 'Daemon'
  AND p.user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(USER(), '@', 1))
GROUP BY p.id, p.user, a.attr_value, p.db, p.command, t.trx_mysql_thread_id, p.time, p.state
ORDER BY p.command = 'Sleep', age_seconds DESC
LIMIT 500)
UNION ALL
-- Transactions that no session holds: prepared (XA), or undone after a crash.
(SELECT 0, '', '', '', IF(b.trx_state = 'ROLLING BACK', 'rolling_back', 'prepared'),
        UNIX_TIMESTAMP() - UNIX_TIMESTAMP(b.trx_started), NULL, NULL, NULL, NULL
FROM information_schema.innodb_trx AS b
WHERE b.trx_mysql_thread_id = 0 AND COALESCE(b.trx_operation_state, '') = ''
  AND UNIX_TIMESTAMP() - UNIX_TIMESTAMP(b.trx_started) >= 5
ORDER BY b.trx_started
LIMIT 100)
