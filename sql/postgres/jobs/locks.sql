/* ---
description: Sessions that wait for a lock, and those that hold it. Of a query only its fingerprint, never its text.
timeout: 2s
needs: [pg_monitor]
--- */
-- @when postgres >= 14
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT DISTINCT w.pid, b.blocker
    FROM (
        SELECT s.pid
        FROM pg_stat_activity AS s
        WHERE s.wait_event_type = 'Lock'
        ORDER BY s.query_start
        LIMIT 100
    ) AS w
    CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (blocker)
),
chain (pid, root, depth) AS (
    SELECT e.blocker, e.blocker, 0
    FROM edge AS e
    WHERE NOT EXISTS (SELECT FROM edge AS w WHERE w.pid = e.blocker)
    UNION
    SELECT e.pid, c.root, c.depth + 1
    FROM chain AS c
    JOIN edge AS e ON e.blocker = c.pid
    WHERE c.depth < 20
),
blocked AS (
    SELECT e.pid,
           string_agg(e.blocker::text, ' ' ORDER BY e.blocker) AS blocked_by,
           (SELECT min(c.root) FROM chain AS c WHERE c.pid = e.pid) AS root_blocker
    FROM edge AS e
    GROUP BY e.pid
)
SELECT s.pid,
       coalesce(s.usename, '') AS user,
       s.application_name AS application,
       coalesce(s.datname, '') AS database,
       coalesce(s.state, '') AS state,
       greatest(extract(epoch FROM clock_timestamp() - s.xact_start), 0)::float8 AS transaction_seconds,
       CASE WHEN s.wait_event_type = 'Lock'
            THEN greatest(extract(epoch FROM clock_timestamp() - coalesce(l.waitstart, s.query_start, s.state_change)), 0)::float8
       END AS wait_seconds,
       l.locktype AS lock_type,
       -- Only the names of the database we are in can be read here; of others the number is shown. 0: of all of them.
       CASE WHEN l.database IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
            THEN l.relation::regclass::text
            ELSE (SELECT d.datname FROM pg_database AS d WHERE d.oid = l.database) || ':' || l.relation::text
       END AS relation,
       b.blocked_by,
       b.root_blocker,
       coalesce(s.query_id::text, left(md5(regexp_replace(s.query, '''[^'']*''|[0-9]+', '?', 'g')), 16)) AS fingerprint
FROM pg_stat_activity AS s
LEFT JOIN blocked AS b ON b.pid = s.pid
LEFT JOIN LATERAL (
    SELECT k.waitstart, k.locktype, k.database, k.relation
    FROM pg_locks AS k
    WHERE k.pid = s.pid AND NOT k.granted
    LIMIT 1
) AS l ON s.wait_event_type = 'Lock'
WHERE b.pid IS NOT NULL
   OR s.pid IN (SELECT e.blocker FROM edge AS e)
ORDER BY b.root_blocker NULLS FIRST, wait_seconds DESC NULLS LAST
LIMIT 500
-- @when postgres < 14
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT DISTINCT w.pid, b.blocker
    FROM (
        SELECT s.pid
        FROM pg_stat_activity AS s
        WHERE s.wait_event_type = 'Lock'
        ORDER BY s.query_start
        LIMIT 100
    ) AS w
    CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (blocker)
),
chain (pid, root, depth) AS (
    SELECT e.blocker, e.blocker, 0
    FROM edge AS e
    WHERE NOT EXISTS (SELECT FROM edge AS w WHERE w.pid = e.blocker)
    UNION
    SELECT e.pid, c.root, c.depth + 1
    FROM chain AS c
    JOIN edge AS e ON e.blocker = c.pid
    WHERE c.depth < 20
),
blocked AS (
    SELECT e.pid,
           string_agg(e.blocker::text, ' ' ORDER BY e.blocker) AS blocked_by,
           (SELECT min(c.root) FROM chain AS c WHERE c.pid = e.pid) AS root_blocker
    FROM edge AS e
    GROUP BY e.pid
)
SELECT s.pid,
       coalesce(s.usename, '') AS user,
       s.application_name AS application,
       coalesce(s.datname, '') AS database,
       coalesce(s.state, '') AS state,
       greatest(extract(epoch FROM clock_timestamp() - s.xact_start), 0)::float8 AS transaction_seconds,
       CASE WHEN s.wait_event_type = 'Lock'
            THEN greatest(extract(epoch FROM clock_timestamp() - coalesce(s.query_start, s.state_change)), 0)::float8
       END AS wait_seconds,
       l.locktype AS lock_type,
       -- Only the names of the database we are in can be read here; of others the number is shown. 0: of all of them.
       CASE WHEN l.database IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
            THEN l.relation::regclass::text
            ELSE (SELECT d.datname FROM pg_database AS d WHERE d.oid = l.database) || ':' || l.relation::text
       END AS relation,
       b.blocked_by,
       b.root_blocker,
       left(md5(regexp_replace(s.query, '''[^'']*''|[0-9]+', '?', 'g')), 16) AS fingerprint
FROM pg_stat_activity AS s
LEFT JOIN blocked AS b ON b.pid = s.pid
LEFT JOIN LATERAL (
    SELECT k.locktype, k.database, k.relation
    FROM pg_locks AS k
    WHERE k.pid = s.pid AND NOT k.granted
    LIMIT 1
) AS l ON s.wait_event_type = 'Lock'
WHERE b.pid IS NOT NULL
   OR s.pid IN (SELECT e.blocker FROM edge AS e)
ORDER BY b.root_blocker NULLS FIRST, wait_seconds DESC NULLS LAST
LIMIT 500
