SELECT id, kind, instance, started_at, state, ended_at, seconds, reason, detail, phase, backup, asked_by, phases
FROM job_runs
WHERE (:instance = '' OR instance = :instance) AND (:kind = '' OR kind = :kind) AND (:id = '' OR id = :id)
ORDER BY number DESC
LIMIT :limit
