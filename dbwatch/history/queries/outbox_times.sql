-- Asked after each letter: the indexes are named because none is chosen well without statistics.
SELECT
    (SELECT min(created_at) FROM outbox INDEXED BY outbox_oldest WHERE state IN ('queued', 'sending')),
    (SELECT min(next_at) FROM outbox INDEXED BY outbox_open WHERE state IN ('queued', 'sending')),
    (SELECT max(ended_at) FROM outbox INDEXED BY outbox_state WHERE state = 'sent')
