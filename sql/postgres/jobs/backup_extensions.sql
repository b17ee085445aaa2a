/* ---
description: The extensions of a database.
timeout: 5s
--- */
SELECT e.extname::text AS name, e.extversion AS version
FROM pg_extension AS e
ORDER BY e.extname
