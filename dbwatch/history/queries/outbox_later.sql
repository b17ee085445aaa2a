UPDATE outbox
SET state = 'queued', next_at = :next_at, last_error = :error, relay = :relay, recipients = :recipients,
    is_touched = max(is_touched, :is_touched)
WHERE id = :id AND state = 'sending'
