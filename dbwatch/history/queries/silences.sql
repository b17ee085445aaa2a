SELECT id, labels, starts_at, ends_at, who, comment
FROM silences
WHERE ends_at > :now
ORDER BY id
