SELECT run, pid, started_ticks, boot_id, program
FROM job_processes
ORDER BY run, pid
