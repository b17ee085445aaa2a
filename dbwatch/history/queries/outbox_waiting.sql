SELECT id, letter
FROM outbox
WHERE thread = :thread AND state = 'queued' AND is_touched = 0
ORDER BY id
