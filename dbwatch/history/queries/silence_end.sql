UPDATE silences
SET ends_at = max(starts_at, :now)
WHERE id = :id AND ends_at > :now
