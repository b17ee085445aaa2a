UPDATE job_runs
SET partial = :partial
WHERE id = :id
