/* ---
description: Sees what every session does, the size of every database, and the state of replication.
grant: {any: "GRANT pg_monitor TO {user};"}
--- */
-- What PostgreSQL itself asks before it shows another role's session. Without it the views give no error, only
-- NULLs and '<insufficient privilege>'. A superuser has every role; a role that does not inherit has none.
SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS granted
