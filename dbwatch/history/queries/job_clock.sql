SELECT seen_at, latest_at, jumped_at, jump_seconds
FROM clock
