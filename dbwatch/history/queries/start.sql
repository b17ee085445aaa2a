INSERT INTO maintenance (instance, starts_at, ends_at, reason, who)
VALUES (:instance, :starts_at, :ends_at, :reason, :who)
