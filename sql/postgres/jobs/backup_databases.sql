/* ---
description: The databases that can be dumped, with what a restore needs to make them alike.
timeout: 30s
--- */
-- A template that somebody made is as much worth as any other database; the first two come with every server.
-- @when postgres >= 17
SELECT d.datname::text AS name,
       pg_encoding_to_char(d.encoding)::text AS encoding,
       concat(CASE d.datlocprovider WHEN 'i' THEN 'icu:' || d.datlocale
                                    WHEN 'b' THEN 'builtin:' || d.datlocale
                                    ELSE 'libc:' || concat_ws('/', d.datcollate, nullif(d.datctype, d.datcollate))
              END) AS collation,
       has_database_privilege(d.oid, 'CONNECT') AS may_connect,
       format('GRANT CONNECT ON DATABASE %I TO %I;', d.datname, current_user) AS remedy,
       CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_database_size(d.oid) END AS bytes
FROM pg_database AS d
WHERE d.datallowconn
  AND NOT (d.datistemplate AND d.datname IN ('template0', 'template1'))
  AND d.datconnlimit <> -2
ORDER BY d.datname
-- @when postgres >= 15 and postgres < 17
SELECT d.datname::text AS name,
       pg_encoding_to_char(d.encoding)::text AS encoding,
       concat(CASE d.datlocprovider WHEN 'i' THEN 'icu:' || d.daticulocale
                                    ELSE 'libc:' || concat_ws('/', d.datcollate, nullif(d.datctype, d.datcollate))
              END) AS collation,
       has_database_privilege(d.oid, 'CONNECT') AS may_connect,
       format('GRANT CONNECT ON DATABASE %I TO %I;', d.datname, current_user) AS remedy,
       CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_database_size(d.oid) END AS bytes
FROM pg_database AS d
WHERE d.datallowconn
  AND NOT (d.datistemplate AND d.datname IN ('template0', 'template1'))
  AND d.datconnlimit <> -2
ORDER BY d.datname
-- @when postgres < 15
SELECT d.datname::text AS name,
       pg_encoding_to_char(d.encoding)::text AS encoding,
       concat('libc:', concat_ws('/', d.datcollate, nullif(d.datctype, d.datcollate))) AS collation,
       has_database_privilege(d.oid, 'CONNECT') AS may_connect,
       format('GRANT CONNECT ON DATABASE %I TO %I;', d.datname, current_user) AS remedy,
       CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_database_size(d.oid) END AS bytes
FROM pg_database AS d
WHERE d.datallowconn
  AND NOT (d.datistemplate AND d.datname IN ('template0', 'template1'))
  AND d.datconnlimit <> -2
ORDER BY d.datname
