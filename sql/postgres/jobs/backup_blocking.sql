/* ---
description: Sessions that wait for a lock which our dump holds. Ours have the same application_name.
timeout: 2s
--- */
-- @when postgres >= 14
SELECT count(*) AS sessions,
       coalesce(max(extract(epoch FROM clock_timestamp() - w.since)), 0)::float8 AS longest_seconds
FROM (
    SELECT l.pid, min(l.waitstart) AS since
    FROM pg_locks AS l
    WHERE NOT l.granted
    GROUP BY l.pid
) AS w
WHERE pg_blocking_pids(w.pid) && (SELECT array_agg(a.pid) FROM pg_stat_activity AS a
                                  WHERE a.application_name = current_setting('application_name'))
  AND w.pid NOT IN (SELECT a.pid FROM pg_stat_activity AS a
                    WHERE a.application_name = current_setting('application_name'))
-- @when postgres < 14
SELECT count(*) AS sessions,
       coalesce(max(extract(epoch FROM clock_timestamp() - w.since)), 0)::float8 AS longest_seconds
FROM (
    -- When the statement began; it may have waited for less.
    SELECT l.pid, min(s.query_start) AS since
    FROM pg_locks AS l
    JOIN pg_stat_activity AS s ON s.pid = l.pid
    WHERE NOT l.granted
    GROUP BY l.pid
) AS w
WHERE pg_blocking_pids(w.pid) && (SELECT array_agg(a.pid) FROM pg_stat_activity AS a
                                  WHERE a.application_name = current_setting('application_name'))
  AND w.pid NOT IN (SELECT a.pid FROM pg_stat_activity AS a
                    WHERE a.application_name = current_setting('application_name'))
