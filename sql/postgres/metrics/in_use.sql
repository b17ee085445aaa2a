/* ---
description: Sessions by encryption and of limited accounts, temporary files and asynchronous I/O in use now.
interval: 60s
lane: slow
timeout: 5s
max_series: 600
needs: [pg_monitor, server_directories]
accounts: [account]
metrics:
  dbwatch_sessions_tls: {value: sessions, labels: {encrypted: encrypted, version: version}}
  dbwatch_account_sessions: {value: account_sessions, labels: {user: account}}
  dbwatch_account_sessions_max: {value: account_sessions_max, labels: {user: account}}
  dbwatch_pg_temp_in_use_bytes: {value: temp_bytes, labels: {tablespace: tablespace}}
  dbwatch_pg_temp_in_use_files: {value: temp_files, labels: {tablespace: tablespace}}
  dbwatch_pg_io_in_flight: {value: in_flight}
--- */
-- @when postgres >= 18
SELECT CASE WHEN t.ssl THEN 'yes' WHEN s.client_addr IS NULL THEN 'local' ELSE 'no' END AS encrypted,
       coalesce(t.version, '') AS version,
       count(*) AS sessions,
       NULL::name AS account,
       NULL::bigint AS account_sessions,
       NULL::bigint AS account_sessions_max,
       NULL::name AS tablespace,
       NULL::float8 AS temp_bytes,
       NULL::bigint AS temp_files,
       NULL::bigint AS in_flight
FROM pg_stat_activity AS s
JOIN pg_stat_ssl AS t ON t.pid = s.pid
WHERE s.backend_type = 'client backend'
  AND s.application_name NOT LIKE 'dbwatch/%'
GROUP BY 1, 2
UNION ALL
-- Nobody is there: that is a number too.
SELECT v.encrypted, '', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (VALUES ('yes'), ('no'), ('local')) AS v (encrypted)
UNION ALL
-- Ours count here: they count against the limit of our account.
(SELECT NULL, NULL, NULL, r.rolname, count(s.pid), r.rolconnlimit, NULL, NULL, NULL, NULL
 FROM pg_roles AS r
 LEFT JOIN pg_stat_activity AS s ON s.usesysid = r.oid AND s.backend_type IN ('client backend', 'walsender')
 WHERE r.rolcanlogin AND r.rolconnlimit >= 0
 GROUP BY r.rolname, r.rolconnlimit
 ORDER BY count(s.pid) DESC, r.rolname
 LIMIT 500)
UNION ALL
-- The files that processes of one parallel query share lie a directory deeper, and are not among them.
SELECT NULL, NULL, NULL, NULL, NULL, NULL, t.spcname, coalesce(sum(f.size), 0)::float8, count(f.name), NULL
FROM (
    SELECT p.oid, p.spcname
    FROM pg_tablespace AS p
    -- A tablespace dropped while we ask is no error.
    WHERE p.spcname <> 'pg_global' AND has_tablespace_privilege(p.oid, 'CREATE') IS NOT NULL
) AS t
LEFT JOIN LATERAL pg_ls_tmpdir(t.oid) AS f ON true
GROUP BY t.spcname
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, count(*)
FROM pg_aios AS i
WHERE i.state = 'SUBMITTED'
-- @when postgres < 18
SELECT CASE WHEN t.ssl THEN 'yes' WHEN s.client_addr IS NULL THEN 'local' ELSE 'no' END AS encrypted,
       coalesce(t.version, '') AS version,
       count(*) AS sessions,
       NULL::name AS account,
       NULL::bigint AS account_sessions,
       NULL::bigint AS account_sessions_max,
       NULL::name AS tablespace,
       NULL::float8 AS temp_bytes,
       NULL::bigint AS temp_files,
       NULL::bigint AS in_flight
FROM pg_stat_activity AS s
JOIN pg_stat_ssl AS t ON t.pid = s.pid
WHERE s.backend_type = 'client backend'
  AND s.application_name NOT LIKE 'dbwatch/%'
GROUP BY 1, 2
UNION ALL
-- Nobody is there: that is a number too.
SELECT v.encrypted, '', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (VALUES ('yes'), ('no'), ('local')) AS v (encrypted)
UNION ALL
-- Ours count here: they count against the limit of our account.
(SELECT NULL, NULL, NULL, r.rolname, count(s.pid), r.rolconnlimit, NULL, NULL, NULL, NULL
 FROM pg_roles AS r
 LEFT JOIN pg_stat_activity AS s ON s.usesysid = r.oid AND s.backend_type IN ('client backend', 'walsender')
 WHERE r.rolcanlogin AND r.rolconnlimit >= 0
 GROUP BY r.rolname, r.rolconnlimit
 ORDER BY count(s.pid) DESC, r.rolname
 LIMIT 500)
UNION ALL
-- The files that processes of one parallel query share lie a directory deeper, and are not among them.
SELECT NULL, NULL, NULL, NULL, NULL, NULL, t.spcname, coalesce(sum(f.size), 0)::float8, count(f.name), NULL
FROM (
    SELECT p.oid, p.spcname
    FROM pg_tablespace AS p
    -- A tablespace dropped while we ask is no error.
    WHERE p.spcname <> 'pg_global' AND has_tablespace_privilege(p.oid, 'CREATE') IS NOT NULL
) AS t
LEFT JOIN LATERAL pg_ls_tmpdir(t.oid) AS f ON true
GROUP BY t.spcname
