/* ---
description: The server notes what each session does (track_activities).
grant: {any: "ALTER SYSTEM SET track_activities = on; SELECT pg_reload_conf();"}
--- */
-- Off, every session looks as if it did nothing, without an error.
SELECT current_setting('track_activities')::boolean AS tracked
