DELETE FROM silences
WHERE ends_at < :before
