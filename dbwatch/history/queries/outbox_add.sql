INSERT OR REPLACE INTO outbox (message_id, thread, sequence, kind, recipients, letter, message, next_at, created_at)
VALUES (:message_id, :thread, :sequence, :kind, :recipients, :letter, :message, :now, :now)
