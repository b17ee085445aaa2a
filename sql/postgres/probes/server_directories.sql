/* ---
description: Lists the files of WAL, archive status, temporary files and log, by name and size.
grant: {any: "GRANT pg_monitor TO {user};"}
--- */
-- A member of pg_read_all_stats alone sees the views, and not these.
SELECT has_function_privilege('pg_ls_waldir()', 'EXECUTE')
       AND has_function_privilege('pg_ls_logdir()', 'EXECUTE')
       AND has_function_privilege('pg_ls_archive_statusdir()', 'EXECUTE')
       AND has_function_privilege('pg_ls_tmpdir(oid)', 'EXECUTE') AS granted
