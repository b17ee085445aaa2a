/* ---
description: Clients, and workers that run SQL, those at work first. Of a query only its fingerprint, never its text.
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
       CASE WHEN s.backend_type <> 'client backend' AND s.application_name = '' THEN s.backend_type
            ELSE s.application_name END AS application,
       coalesce(s.datname, '') AS database,
       coalesce(s.state, CASE WHEN s.backend_type <> 'client backend' THEN 'active' END, '') AS state,
       greatest(extract(epoch FROM clock_timestamp()
                        - CASE WHEN s.state = 'active' THEN s.query_start
                               ELSE coalesce(s.state_change, s.xact_start) END), 0)::float8
           AS age_seconds,
       concat_ws(':', s.wait_event_type, s.wait_event) AS wait,
       b.blocked_by,
       b.root_blocker,
       coalesce(s.query_id::text, left(md5(regexp_replace(s.query, '''[^'']*''|[0-9]+', '?', 'g')), 16)) AS fingerprint
FROM pg_stat_activity AS s
LEFT JOIN blocked AS b ON b.pid = s.pid
WHERE (s.backend_type = 'client backend'
       -- An extension's worker that runs SQL, as the collectors `queries` and `transactions` know it.
       OR s.xact_start IS NOT NULL
       AND s.leader_pid IS NULL
       AND s.backend_type NOT IN ('walsender', 'autovacuum launcher', 'autovacuum worker', 'slotsync worker')
       AND s.backend_type NOT LIKE 'logical replication%')
  AND s.application_name NOT LIKE 'dbwatch/%'
ORDER BY coalesce(s.state, 'active') = 'active' DESC, age_seconds DESC
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
       CASE WHEN s.backend_type <> 'client backend' AND s.application_name = '' THEN s.backend_type
            ELSE s.application_name END AS application,
       coalesce(s.datname, '') AS database,
       coalesce(s.state, CASE WHEN s.backend_type <> 'client backend' THEN 'active' END, '') AS state,
       greatest(extract(epoch FROM clock_timestamp()
                        - CASE WHEN s.state = 'active' THEN s.query_start
                               ELSE coalesce(s.state_change, s.xact_start) END), 0)::float8
           AS age_seconds,
       concat_ws(':', s.wait_event_type, s.wait_event) AS wait,
       b.blocked_by,
       b.root_blocker,
       left(md5(regexp_replace(s.query, '''[^'']*''|[0-9]+', '?', 'g')), 16) AS fingerprint
FROM pg_stat_activity AS s
LEFT JOIN blocked AS b ON b.pid = s.pid
WHERE (s.backend_type = 'client backend'
       -- An extension's worker that runs SQL, as the collectors `queries` and `transactions` know it.
       OR s.xact_start IS NOT NULL
       AND s.leader_pid IS NULL
       AND s.backend_type NOT IN ('walsender', 'autovacuum launcher', 'autovacuum worker', 'slotsync worker')
       AND s.backend_type NOT LIKE 'logical replication%')
  AND s.application_name NOT LIKE 'dbwatch/%'
ORDER BY coalesce(s.state, 'active') = 'active' DESC, age_seconds DESC
LIMIT 500
