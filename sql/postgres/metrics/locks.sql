/* ---
description: Who waits for a lock, behind how many others, and how many block them.
interval: 10s
max_series: 4
needs: [pg_monitor]
metrics:
  dbwatch_blocked_sessions: {value: blocked}
  dbwatch_blocking_sessions: {value: root_blockers}
  dbwatch_blocking_chain_depth: {value: depth}
  dbwatch_lock_wait_longest_seconds: {value: longest_seconds}
--- */
-- @when postgres >= 14
WITH RECURSIVE waiting AS MATERIALIZED (
    SELECT s.pid, s.query_start
    FROM pg_stat_activity AS s
    WHERE s.wait_event_type = 'Lock'
      AND s.application_name NOT LIKE 'dbwatch/%'
),
-- pg_blocking_pids stops the lock manager for a moment: never of a session that does not wait, and of 100 at most.
edge AS MATERIALIZED (
    SELECT DISTINCT w.pid, b.blocker
    FROM (SELECT q.pid FROM waiting AS q ORDER BY q.query_start LIMIT 100) AS w
    CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (blocker)
),
-- From the root blockers outwards. The limit of 20 also ends a circle (a deadlock not yet resolved).
chain (pid, depth) AS (
    SELECT e.blocker, 0
    FROM edge AS e
    WHERE NOT EXISTS (SELECT FROM waiting AS w WHERE w.pid = e.blocker)
    UNION
    SELECT e.pid, c.depth + 1
    FROM chain AS c
    JOIN edge AS e ON e.blocker = c.pid
    WHERE c.depth < 20
)
SELECT (SELECT count(*) FROM waiting) AS blocked,
       (SELECT count(DISTINCT c.pid) FROM chain AS c WHERE c.depth = 0) AS root_blockers,
       (SELECT coalesce(max(c.depth), 0) FROM chain AS c) AS depth,
       CASE WHEN EXISTS (SELECT FROM waiting)
            THEN (SELECT coalesce(greatest(extract(epoch FROM clock_timestamp() - min(w.waitstart)), 0), 0)::float8
                  FROM pg_locks AS w WHERE NOT w.granted AND w.pid IN (SELECT q.pid FROM waiting AS q))
            ELSE 0
       END AS longest_seconds
-- @when postgres < 14
-- The start of a wait is not told yet: the start of the query that waits is the nearest.
WITH RECURSIVE waiting AS MATERIALIZED (
    SELECT s.pid, s.query_start
    FROM pg_stat_activity AS s
    WHERE s.wait_event_type = 'Lock'
      AND s.application_name NOT LIKE 'dbwatch/%'
),
-- pg_blocking_pids stops the lock manager for a moment: never of a session that does not wait, and of 100 at most.
edge AS MATERIALIZED (
    SELECT DISTINCT w.pid, b.blocker
    FROM (SELECT q.pid FROM waiting AS q ORDER BY q.query_start LIMIT 100) AS w
    CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (blocker)
),
-- From the root blockers outwards. The limit of 20 also ends a circle (a deadlock not yet resolved).
chain (pid, depth) AS (
    SELECT e.blocker, 0
    FROM edge AS e
    WHERE NOT EXISTS (SELECT FROM waiting AS w WHERE w.pid = e.blocker)
    UNION
    SELECT e.pid, c.depth + 1
    FROM chain AS c
    JOIN edge AS e ON e.blocker = c.pid
    WHERE c.depth < 20
)
SELECT (SELECT count(*) FROM waiting) AS blocked,
       (SELECT count(DISTINCT c.pid) FROM chain AS c WHERE c.depth = 0) AS root_blockers,
       (SELECT coalesce(max(c.depth), 0) FROM chain AS c) AS depth,
       CASE WHEN EXISTS (SELECT FROM waiting)
            THEN (SELECT coalesce(greatest(extract(epoch FROM clock_timestamp() - min(w.query_start)), 0), 0)::float8
                  FROM waiting AS w)
            ELSE 0
       END AS longest_seconds
