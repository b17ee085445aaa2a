UPDATE outbox
SET state = 'superseded', ended_at = :now, letter = '', message = x''
WHERE id = :id AND state = 'queued'
