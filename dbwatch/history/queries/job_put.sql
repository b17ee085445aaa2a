INSERT INTO job_runs (
    id, kind, instance, state, started_at, ended_at, seconds, reason, detail, phase, backup, asked_by, phases,
    application
)
VALUES (
    :id, :kind, :instance, :state, :started_at, :ended_at, :seconds, :reason, :detail, :phase, :backup, :asked_by,
    :phases, :application
)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, ended_at = excluded.ended_at, seconds = excluded.seconds, reason = excluded.reason,
    detail = excluded.detail, phase = excluded.phase, backup = excluded.backup, phases = excluded.phases
