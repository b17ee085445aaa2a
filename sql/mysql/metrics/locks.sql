/* ---
description: Who waits for a lock, behind how many others, and how many block them.
interval: 10s
max_series: 4
needs: [process, performance_schema]
metrics:
  dbwatch_blocked_sessions: {value: blocked}
  dbwatch_blocking_sessions: {value: root_blockers}
  dbwatch_blocking_chain_depth: {value: depth}
  dbwatch_lock_wait_longest_seconds: {value: longest_seconds}
--- */
-- A chain is made of holders: who merely stands before another in the queue for the same lock is no link of it. So a
-- hundred sessions behind one row make a chain of 1, and what is walked stays as small as the number of those who wait.
-- @when mariadb
-- A wait for a metadata lock is seen in the process list; its blocker only with a plugin that nobody has. It counts as
-- blocked, and the number of root blockers is unknown then: absent, not 0.
WITH RECURSIVE waiting AS (
    SELECT p.id, t.trx_id,
           IF(t.trx_id IS NULL, p.time_ms / 1000, UNIX_TIMESTAMP() - UNIX_TIMESTAMP(t.trx_wait_started)) AS seconds
    FROM information_schema.processlist AS p
    LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id AND t.trx_state = 'LOCK WAIT'
    WHERE t.trx_id IS NOT NULL
       OR (p.state LIKE 'Waiting for%lock' AND p.state <> 'Waiting for query cache lock')  -- which no session holds for long
       OR p.state IN ('User lock', 'Waiting for table flush')
    LIMIT 100000
),
-- Every pair of waiter and blocker is listed: above 300 waiters (45,000 pairs) it is not asked, and depth and root
-- blockers are absent; who is blocked, and for how long, is still told.
edge AS (
    SELECT DISTINCT w.requesting_trx_id AS waiter, w.blocking_trx_id AS blocker, b.trx_state = 'LOCK WAIT' AS waits_too
    FROM information_schema.innodb_lock_waits AS w
    JOIN information_schema.innodb_trx AS b ON b.trx_id = w.blocking_trx_id
    WHERE (b.trx_requested_lock_id IS NULL OR b.trx_requested_lock_id <> w.blocking_lock_id)
      AND (SELECT COUNT(*) FROM information_schema.innodb_trx AS n WHERE n.trx_state = 'LOCK WAIT') <= 300
),
-- From the root blockers outwards. The limit of 20 also ends a circle.
chain (trx_id, depth) AS (
    SELECT e.blocker, 0
    FROM edge AS e
    WHERE NOT e.waits_too
    UNION
    SELECT e.waiter, c.depth + 1
    FROM chain AS c
    JOIN edge AS e ON e.blocker = c.trx_id
    WHERE c.depth < 20
)
SELECT w.blocked,
       IF(w.unknown, NULL, c.root_blockers) AS root_blockers,
       IF(w.blocked > 300, NULL, GREATEST(COALESCE(c.depth, 0), w.blocked > 0)) AS depth,
       w.longest_seconds
FROM (
    SELECT COUNT(*) AS blocked, COUNT(*) > COUNT(q.trx_id) OR COUNT(*) > 300 AS unknown,
           COALESCE(GREATEST(MAX(q.seconds), 0), 0) AS longest_seconds
    FROM waiting AS q
) AS w
CROSS JOIN (
    SELECT COUNT(DISTINCT IF(n.depth = 0, n.trx_id, NULL)) AS root_blockers, MAX(n.depth) AS depth FROM chain AS n
) AS c
-- @when not mariadb and setting performance_schema = ON
-- The dear views are entered from those who wait, by index: where nobody waits they are not read. data_locks never is.
-- The LIMIT keeps the optimizer from reading the process list again for every mention of it.
-- Every pair of waiter and blocker is listed: above 300 waiters (45,000 pairs) it is not asked, and depth and root
-- blockers are absent; who is blocked, and for how long, is still told.
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
      AND (SELECT COUNT(*) FROM waiting AS n) <= 300
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
      AND (SELECT COUNT(*) FROM waiting AS n) <= 300
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
-- From the root blockers outwards. The limit of 20 also ends a circle.
chain (thread_id, depth) AS (
    SELECT e.blocker, 0
    FROM edge AS e
    WHERE e.blocker NOT IN (SELECT x.waiter FROM edge AS x)
    UNION
    SELECT e.waiter, c.depth + 1
    FROM chain AS c
    JOIN edge AS e ON e.blocker = c.thread_id
    WHERE c.depth < 20
)
SELECT w.blocked,
       IF(w.blocked > 300, NULL, c.root_blockers) AS root_blockers,
       IF(w.blocked > 300, NULL, GREATEST(COALESCE(c.depth, 0), w.blocked > 0)) AS depth,
       w.longest_seconds
FROM (
    SELECT COUNT(*) AS blocked, COALESCE(GREATEST(MAX(q.seconds), 0), 0) AS longest_seconds FROM waiting AS q
) AS w
CROSS JOIN (
    SELECT COUNT(DISTINCT IF(n.depth = 0, n.thread_id, NULL)) AS root_blockers, MAX(n.depth) AS depth FROM chain AS n
) AS c
