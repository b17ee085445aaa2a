DELETE FROM job_processes
WHERE run = :run AND pid = :pid AND started_ticks = :started_ticks
