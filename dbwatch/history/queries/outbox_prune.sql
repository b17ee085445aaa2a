DELETE FROM outbox
WHERE state NOT IN ('queued', 'sending') AND ended_at < :before
