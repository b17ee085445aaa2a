INSERT INTO backup_sets (
    instance, kind, id, sequence, started_at, manifest, checksum, level, pinned, problem, trashed_at
)
VALUES (
    :instance, :kind, :id, :sequence, :started_at, :manifest, :checksum, :level, :pinned, :problem, :trashed_at
)
ON CONFLICT (instance, kind, id) DO UPDATE SET
    sequence = excluded.sequence, started_at = excluded.started_at, manifest = excluded.manifest,
    checksum = excluded.checksum, level = excluded.level, pinned = excluded.pinned, problem = excluded.problem,
    trashed_at = excluded.trashed_at
