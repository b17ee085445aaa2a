UPDATE backup_sets
SET pinned = :pinned
WHERE instance = :instance AND kind = :kind AND id = :id
