/* ---
description: The statements that took most time, with their texts as the server normalised them.
timeout: 10s
needs: [pg_monitor, pg_stat_statements]
--- */
-- The server leaves the constants of what it does not plan (ALTER ROLE ... PASSWORD) in the text: they are taken out.
-- @when extension pg_stat_statements >= 1.8
SELECT s.queryid::text AS queryid,
       d.datname AS database,
       r.rolname AS user,
       sum(s.calls)::bigint AS calls,
       sum(s.total_exec_time) / 1000 AS total_seconds,
       sum(s.total_exec_time) / 1000 / nullif(sum(s.calls), 0)::float8 AS mean_seconds,
       sum(s.rows)::bigint AS rows,
       regexp_replace(regexp_replace(min(s.query), '(\$[a-z_]*\$).*\1|''[^'']*(''|$)', '''?''', 'gi'),
                      '\s+', ' ', 'g') AS text
FROM public.pg_stat_statements(showtext := true) AS s
LEFT JOIN pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_roles AS r ON r.oid = s.userid
GROUP BY s.queryid, d.datname, r.rolname
ORDER BY total_seconds DESC
LIMIT 20
