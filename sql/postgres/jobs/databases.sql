/* ---
description: The databases to ask one by one.
timeout: 1s
--- */
-- Not those we may not enter: each try would be a FATAL line in the server's log. datconnlimit is 0 where only
-- superusers may enter, -2 where a DROP DATABASE was cut short.
SELECT d.datname AS name
FROM pg_database AS d
WHERE d.datallowconn
  AND NOT d.datistemplate
  AND d.datconnlimit NOT IN (0, -2)
  AND has_database_privilege(d.oid, 'CONNECT')
ORDER BY d.datname
