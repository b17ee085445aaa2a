-- Of this kind and instance. The last run and the last that succeeded stay, however old they are.
DELETE FROM job_runs
WHERE kind = :kind
  AND instance = :instance
  AND state <> 'running'
  AND (
      started_at < :before
      OR number <= coalesce(
          (
              SELECT number
              FROM job_runs
              WHERE kind = :kind AND instance = :instance
              ORDER BY number DESC
              LIMIT 1 OFFSET :keep
          ),
          0
      )
  )
  AND number <> (SELECT max(number) FROM job_runs WHERE kind = :kind AND instance = :instance AND state <> 'running')
  AND number <> coalesce(
      (SELECT max(number) FROM job_runs WHERE kind = :kind AND instance = :instance AND state = 'succeeded'), 0
  )
