/* ---
description: The statements that took most time, without their texts.
timeout: 5s
needs: [pg_monitor, pg_stat_statements]
--- */
-- @when extension pg_stat_statements >= 1.8
SELECT s.queryid::text AS queryid,
       d.datname AS database,
       r.rolname AS user,
       sum(s.calls)::bigint AS calls,
       sum(s.total_exec_time) / 1000 AS total_seconds,
       sum(s.total_exec_time) / 1000 / nullif(sum(s.calls), 0)::float8 AS mean_seconds,
       sum(s.rows)::bigint AS rows
FROM public.pg_stat_statements(showtext := false) AS s
LEFT JOIN pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_roles AS r ON r.oid = s.userid
GROUP BY s.queryid, d.datname, r.rolname
ORDER BY total_seconds DESC
LIMIT 20
