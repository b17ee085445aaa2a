-- Somebody died with these in hand: they may have arrived, and are sent again under the same Message-ID.
UPDATE outbox
SET state = 'queued', is_touched = 1
WHERE state = 'sending'
