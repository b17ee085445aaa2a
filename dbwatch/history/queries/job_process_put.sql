INSERT OR REPLACE INTO job_processes (run, pid, started_ticks, boot_id, program)
VALUES (:run, :pid, :started_ticks, :boot_id, :program)
