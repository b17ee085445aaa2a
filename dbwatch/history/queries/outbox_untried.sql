UPDATE outbox
SET state = 'queued', attempts = attempts - 1
WHERE id = :id AND state = 'sending'
