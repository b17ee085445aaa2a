/* ---
description: The server counts what happens in databases and tables (track_counts).
grant: {any: "ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf();"}
--- */
-- Off, the counters stand still, without an error (and autovacuum does not run).
SELECT current_setting('track_counts')::boolean AS counted
