SELECT instance, starts_at, ends_at, reason, who
FROM maintenance
WHERE ends_at IS NULL OR ends_at > :now
ORDER BY instance, starts_at
