UPDATE maintenance
SET ends_at = :now
WHERE instance = :instance
  AND starts_at <= :now
  AND (ends_at IS NULL OR ends_at > :now)
