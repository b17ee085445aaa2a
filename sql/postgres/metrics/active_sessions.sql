/* ---
description: Sessions at work, by what they wait for, once a second.
lane: sampler
interval: 1s
timeout: 500ms
max_series: 8
needs: [pg_monitor, track_activities]
metrics:
  dbwatch_active_session_seconds_total: {value: sessions, labels: {wait_class: wait_class}, integrate: true}
--- */
SELECT c.wait_class, count(a.pid) AS sessions
FROM (VALUES ('cpu'), ('io'), ('lock'), ('lwlock'), ('client'), ('ipc'), ('timeout'), ('other')) AS c (wait_class)
LEFT JOIN (
    SELECT s.pid,
           CASE WHEN s.wait_event_type IS NULL THEN 'cpu'
                WHEN s.wait_event_type IN ('IO', 'Lock', 'LWLock', 'Client', 'IPC', 'Timeout')
                THEN lower(s.wait_event_type)
                ELSE 'other' END AS wait_class
    FROM pg_stat_activity AS s
    WHERE s.state IN ('active', 'fastpath function call')
      AND s.backend_type = 'client backend'
      AND s.application_name NOT LIKE 'dbwatch/%'
) AS a ON a.wait_class = c.wait_class
GROUP BY c.wait_class
