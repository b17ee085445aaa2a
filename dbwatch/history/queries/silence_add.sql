INSERT INTO silences (labels, starts_at, ends_at, who, comment)
VALUES (:labels, :starts_at, :ends_at, :who, :comment)
