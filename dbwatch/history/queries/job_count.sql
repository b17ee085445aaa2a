INSERT INTO job_counts (kind, instance, state, reason, runs)
VALUES (:kind, :instance, :state, :reason, 1)
ON CONFLICT (kind, instance, state, reason) DO UPDATE SET runs = runs + 1
