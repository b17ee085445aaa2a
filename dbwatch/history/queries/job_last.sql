-- The last that ended, and the last that succeeded, of each kind and instance.
SELECT id, kind, instance, started_at, state, ended_at, seconds, reason, detail, phase, backup, asked_by, phases
FROM job_runs
WHERE number IN (
    SELECT max(number)
    FROM job_runs
    WHERE state <> 'running'
    GROUP BY kind, instance
    UNION
    SELECT max(number)
    FROM job_runs
    WHERE state = 'succeeded'
    GROUP BY kind, instance
)
ORDER BY number
