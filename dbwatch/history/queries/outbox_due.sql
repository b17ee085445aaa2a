-- In order within each thread: a letter waits while one before it in its thread does. What is due further ahead than
-- any pause is long was put off before the clock went back.
SELECT id, message_id, thread, recipients, message, attempts, created_at
FROM outbox AS letter INDEXED BY outbox_queue
WHERE state IN ('queued', 'sending')
  AND state = 'queued'
  AND (next_at <= :now OR next_at > :too_far)
  AND NOT EXISTS (
      SELECT 1
      FROM outbox AS earlier
      WHERE earlier.thread = letter.thread
        AND earlier.id < letter.id
        AND earlier.state IN ('queued', 'sending')
        AND (earlier.state = 'sending' OR (earlier.next_at > :now AND earlier.next_at <= :too_far))
  )
ORDER BY id
LIMIT :limit
