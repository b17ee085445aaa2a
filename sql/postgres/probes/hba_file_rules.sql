/* ---
description: Sees which lines of pg_hba.conf the server cannot use (optional; granted in the monitoring database).
grant: {any: "GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO {user};"}
--- */
SELECT has_function_privilege('pg_hba_file_rules()', 'EXECUTE') AS granted
