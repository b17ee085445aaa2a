/* ---
description: The roles of this server, which of them the account may become, and what it may make, with the remedies.
timeout: 10s
--- */
-- @when postgres >= 16
SELECT r.rolname::text AS name,
       pg_has_role(r.oid, 'SET') AS may_become,
       a.rolsuper OR a.rolcreatedb AS makes_databases,
       a.rolsuper OR a.rolcreaterole AS makes_roles,
       format('ALTER ROLE %I CREATEDB;', a.rolname) AS to_make_databases,
       format('ALTER ROLE %I SUPERUSER;', a.rolname) AS to_do_all
FROM pg_roles AS r
CROSS JOIN pg_roles AS a
WHERE a.rolname = current_user
ORDER BY r.rolname
-- @when postgres < 16
SELECT r.rolname::text AS name,
       pg_has_role(r.oid, 'MEMBER') AS may_become,
       a.rolsuper OR a.rolcreatedb AS makes_databases,
       a.rolsuper OR a.rolcreaterole AS makes_roles,
       format('ALTER ROLE %I CREATEDB;', a.rolname) AS to_make_databases,
       format('ALTER ROLE %I SUPERUSER;', a.rolname) AS to_do_all
FROM pg_roles AS r
CROSS JOIN pg_roles AS a
WHERE a.rolname = current_user
ORDER BY r.rolname
