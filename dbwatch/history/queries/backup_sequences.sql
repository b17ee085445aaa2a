SELECT instance, kind, sequence
FROM backup_sequences
