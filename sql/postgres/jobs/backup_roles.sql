/* ---
description: The roles with what they may, their settings and memberships, as a number to compare; no password.
timeout: 10s
--- */
SELECT r.rolname::text AS name,
       r.oid = 10 AS is_first,
       hashtextextended(concat_ws(' ', r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,
                                  r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil::text,
                                  array_to_string(r.rolconfig, ' '), m.groups) COLLATE "C", 0)::text AS digest
FROM pg_roles AS r
LEFT JOIN LATERAL (
    SELECT string_agg(DISTINCT concat(g.rolname, ' ', a.admin_option), ' ') AS groups
    FROM pg_auth_members AS a
    JOIN pg_roles AS g ON g.oid = a.roleid
    WHERE a.member = r.oid
) AS m ON true
WHERE r.rolname !~ '^pg_'
ORDER BY r.rolname
