/* ---
description: The server counts statements (pg_stat_statements, optional; created in the monitoring database).
grant:
  any: >-
    /* once pg_stat_statements stands in shared_preload_libraries, which takes a restart, and its track is not none */
    /* in the database {database} */ CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
--- */
-- Created but not loaded, each look at it is an error in the server's log. Its settings exist only once it is loaded.
SELECT EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'pg_stat_statements')
       AND EXISTS (SELECT FROM pg_settings AS s WHERE s.name = 'pg_stat_statements.track' AND s.setting <> 'none') AS counted
