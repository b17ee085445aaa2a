SELECT state
FROM job_runs
WHERE id = :id
