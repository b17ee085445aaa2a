UPDATE outbox
SET state = 'sending', attempts = attempts + 1
WHERE id = :id AND state = 'queued'
