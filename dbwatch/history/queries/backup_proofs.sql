SELECT instance, kind, backup, proof
FROM backup_proofs
ORDER BY number
