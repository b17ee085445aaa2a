UPDATE backup_sets
SET trashed_at = :trashed_at
WHERE instance = :instance AND kind = :kind AND id = :id
