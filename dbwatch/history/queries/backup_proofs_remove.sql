DELETE FROM backup_proofs
WHERE instance = :instance AND kind = :kind AND backup = :id
