/* ---
description: MySQL's performance_schema is readable (MariaDB is watched without it).
grant: {any: "GRANT SELECT ON performance_schema.* TO {user};"}
--- */
-- @when not mariadb
SELECT COUNT(*) >= 0 AS visible
FROM performance_schema.metadata_locks AS l
WHERE l.owner_thread_id = 0
