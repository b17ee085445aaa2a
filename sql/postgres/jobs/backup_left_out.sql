/* ---
description: The databases that no dump can hold, why, and what would let it; and those that every server has.
timeout: 5s
--- */
-- Of the first two templates the second may hold what somebody put there: who asks looks into it.
SELECT d.datname::text AS name,
       d.datistemplate AND d.datname = 'template0' AS is_plain,
       d.datistemplate AND d.datname = 'template1' AND d.datallowconn AND d.datconnlimit <> -2 AS is_first_template,
       CASE WHEN d.datistemplate AND d.datname = 'template0' THEN 'every server has it'
            WHEN d.datconnlimit = -2 THEN 'a DROP DATABASE was cut short, and only another one is allowed there'
            WHEN NOT d.datallowconn THEN 'refuses all connections'
            ELSE 'every server has it already, so what it holds cannot be restored' END AS why,
       CASE WHEN d.datistemplate AND d.datname = 'template0' THEN 'take it out of include'
            WHEN d.datconnlimit = -2 THEN format('DROP DATABASE %I;', d.datname)
            WHEN NOT d.datallowconn THEN format('ALTER DATABASE %I ALLOW_CONNECTIONS true;', d.datname)
            ELSE 'CREATE DATABASE template_of_ours TEMPLATE template1 IS_TEMPLATE true;' END AS remedy,
       NOT d.datallowconn AND d.datconnlimit <> -2 AND d.datname <> 'template0' AS is_shut,
       has_database_privilege(d.oid, 'CONNECT') AS may_connect,
       format('GRANT CONNECT ON DATABASE %I TO %I;', d.datname, current_user) AS remedy_to_connect
FROM pg_database AS d
WHERE NOT d.datallowconn
   OR d.datconnlimit = -2
   OR (d.datistemplate AND d.datname IN ('template0', 'template1'))
ORDER BY d.datname
