DELETE FROM backup_sets
WHERE instance = :instance AND kind = :kind AND id = :id
