UPDATE outbox
SET state = 'sent', ended_at = :now, relay = :relay, last_error = '', letter = '', message = x''
WHERE id = :id AND state = 'sending'
