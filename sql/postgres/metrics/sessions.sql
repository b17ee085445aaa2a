/* ---
description: Client sessions by database, account, application and state.
interval: 10s
max_series: 500
needs: [pg_monitor, track_activities]
accounts: [account]
applications: [application]
metrics:
  dbwatch_sessions:
    {value: sessions, labels: {database: database, user: account, app: application, state: state}}
--- */
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
       count(*) AS sessions
FROM pg_stat_activity AS s
WHERE s.backend_type = 'client backend'
  AND s.application_name NOT LIKE 'dbwatch/%'
GROUP BY 1, 2, 3, 4
UNION ALL
-- Nobody is there: that is a number too, and not a gap.
SELECT '', '', '', v.state, 0
FROM (VALUES ('active'), ('idle'), ('idle_in_transaction')) AS v (state)
