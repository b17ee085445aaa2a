/* ---
description: The databases to ask one by one.
timeout: 1s
--- */
-- Those we may not enter come with what would let us in, and are not tried: each try would be a FATAL line in the
-- server's log. datconnlimit is 0 where only superusers may enter, -2 where a DROP DATABASE was cut short.
SELECT d.datname AS name,
       CASE WHEN NOT has_database_privilege(d.oid, 'CONNECT')
            THEN format('GRANT CONNECT ON DATABASE %I TO %I;', d.datname, current_user)
       END AS remedy
FROM pg_database AS d
WHERE d.datallowconn
  AND NOT d.datistemplate
  AND d.datconnlimit NOT IN (0, -2)
ORDER BY d.datname
