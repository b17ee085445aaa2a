SELECT instance, kind, id, sequence, started_at, manifest, checksum, pinned, problem, trashed_at
FROM backup_sets
ORDER BY instance, kind, sequence, id
