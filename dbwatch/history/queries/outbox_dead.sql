UPDATE outbox
SET state = 'dead', ended_at = :now, last_error = :error, relay = :relay, recipients = :recipients
WHERE id = :id AND state = 'sending'
