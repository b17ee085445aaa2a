SELECT
    id, kind, instance, started_at, state, ended_at, seconds, reason, detail, phase, backup, asked_by, phases,
    application, partial
FROM job_runs
WHERE state = 'running'
ORDER BY number
