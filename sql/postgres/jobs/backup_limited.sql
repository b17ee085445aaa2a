/* ---
description: How many sessions at a time each database allows, and the account itself, where that is limited.
timeout: 5s
--- */
-- A superuser is not limited. The account's own limit counts its sessions in all databases; it bears no database's name.
SELECT d.datname::text AS name,
       d.datconnlimit AS allowed,
       format('ALTER DATABASE %I CONNECTION LIMIT ', d.datname) AS remedy
FROM pg_database AS d
JOIN pg_roles AS r ON r.rolname = current_user AND NOT r.rolsuper
WHERE d.datallowconn
  AND d.datconnlimit >= 0
UNION ALL
SELECT NULL, r.rolconnlimit, format('ALTER ROLE %I CONNECTION LIMIT ', r.rolname)
FROM pg_roles AS r
WHERE r.rolname = current_user
  AND NOT r.rolsuper
  AND r.rolconnlimit >= 0
ORDER BY 1
