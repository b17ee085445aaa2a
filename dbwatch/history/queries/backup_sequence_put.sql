INSERT INTO backup_sequences (instance, kind, sequence)
VALUES (:instance, :kind, :sequence)
ON CONFLICT (instance, kind) DO UPDATE SET sequence = max(sequence, excluded.sequence)
