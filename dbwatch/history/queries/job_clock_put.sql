INSERT INTO clock (one, seen_at, latest_at, jumped_at, jump_seconds)
VALUES (1, :seen_at, :latest_at, :jumped_at, :jump_seconds)
ON CONFLICT (one) DO UPDATE SET
    seen_at = excluded.seen_at, latest_at = excluded.latest_at, jumped_at = excluded.jumped_at,
    jump_seconds = excluded.jump_seconds
