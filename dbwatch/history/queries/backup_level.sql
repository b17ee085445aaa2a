UPDATE backup_sets
SET level = :level
WHERE instance = :instance AND kind = :kind AND id = :id
