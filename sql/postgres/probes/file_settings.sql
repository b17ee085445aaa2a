/* ---
description: Sees which lines of postgresql.conf the server cannot use (optional; granted in the monitoring database).
grant: {any: "GRANT EXECUTE ON FUNCTION pg_catalog.pg_show_all_file_settings() TO {user};"}
--- */
SELECT has_function_privilege('pg_show_all_file_settings()', 'EXECUTE') AS granted
