SELECT kind, instance, state, reason, runs
FROM job_counts
