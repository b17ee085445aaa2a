DELETE FROM job_processes
WHERE run = :run
