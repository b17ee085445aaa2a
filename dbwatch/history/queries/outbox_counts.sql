SELECT
    (SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')),
    (SELECT count(*) FROM outbox WHERE state = 'dead')
