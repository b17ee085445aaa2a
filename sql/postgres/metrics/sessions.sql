/* ---
description: Client sessions by database, account, application and state, and those with too many subtransactions.
interval: 10s
max_series: 500
needs: [pg_monitor, track_activities]
accounts: [account]
applications: [application]
metrics:
  dbwatch_sessions:
    {value: sessions, labels: {database: database, user: account, app: application, state: state}}
  dbwatch_pg_sessions_subtransactions_overflowed: {value: overflowed}
--- */
-- @when postgres >= 16
-- A session that is still logging in has neither a database nor an account.
SELECT coalesce(s.datname, '') AS database,
       coalesce(s.usename, '') AS account,
       s.application_name AS application,
       CASE s.state
           WHEN 'active' THEN 'active'
           WHEN 'fastpath function call' THEN 'active'
           WHEN 'idle' THEN 'idle'
           WHEN 'idle in transaction' THEN 'idle_in_transaction'
           WHEN 'idle in transaction (aborted)' THEN 'idle_in_transaction_aborted'
           ELSE 'other'
       END AS state,
       count(*) AS sessions,
       NULL::bigint AS overflowed
FROM pg_stat_activity AS s
WHERE s.backend_type = 'client backend'
  AND s.application_name NOT LIKE 'dbwatch/%'
GROUP BY 1, 2, 3, 4
UNION ALL
-- Nobody is there: that is a number too, and not a gap.
SELECT '', '', '', v.state, 0, NULL
FROM (VALUES ('active'), ('idle'), ('idle_in_transaction')) AS v (state)
UNION ALL
-- Any session, a worker too: each one's pages of pg_subtrans are read by all others.
SELECT '', '', '', '', NULL, count(*)
FROM pg_stat_get_backend_idset() AS b (id)
CROSS JOIN LATERAL pg_stat_get_backend_subxact(b.id) AS x
WHERE x.subxact_overflowed
-- @when postgres < 16
-- As above; subtransactions are told since PostgreSQL 16.
SELECT coalesce(s.datname, '') AS database,
       coalesce(s.usename, '') AS account,
       s.application_name AS application,
       CASE s.state
           WHEN 'active' THEN 'active'
           WHEN 'fastpath function call' THEN 'active'
           WHEN 'idle' THEN 'idle'
           WHEN 'idle in transaction' THEN 'idle_in_transaction'
           WHEN 'idle in transaction (aborted)' THEN 'idle_in_transaction_aborted'
           ELSE 'other'
       END AS state,
       count(*) AS sessions,
       NULL::bigint AS overflowed
FROM pg_stat_activity AS s
WHERE s.backend_type = 'client backend'
  AND s.application_name NOT LIKE 'dbwatch/%'
GROUP BY 1, 2, 3, 4
UNION ALL
-- Nobody is there: that is a number too, and not a gap.
SELECT '', '', '', v.state, 0, NULL
FROM (VALUES ('active'), ('idle'), ('idle_in_transaction')) AS v (state)
