/* ---
description: Sees every setting, those of superusers too.
grant: {any: "GRANT pg_monitor TO {user};"}
--- */
-- Without it pg_settings has no error and no row for data_directory, shared_preload_libraries and the like.
SELECT pg_has_role('pg_read_all_settings', 'USAGE') AS granted
