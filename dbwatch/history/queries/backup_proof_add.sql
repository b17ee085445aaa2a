INSERT INTO backup_proofs (instance, kind, backup, proof)
VALUES (:instance, :kind, :id, :proof)
