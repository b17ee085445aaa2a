/* ---
description: How many sessions at a time each database allows, and the account itself, where that is limited, and has now.
timeout: 5s
--- */
-- A superuser is not limited. The account's own limit counts its sessions in all databases; it bears no database's name.
-- The session that asks ends before the dump begins.
SELECT d.datname::text AS name,
       d.datconnlimit AS allowed,
       (SELECT count(*) FROM pg_stat_activity AS a
        WHERE a.datid = d.oid AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()) AS used,
       format('ALTER DATABASE %I CONNECTION LIMIT ', d.datname) AS remedy
FROM pg_database AS d
JOIN pg_roles AS r ON r.rolname = current_user AND NOT r.rolsuper
WHERE d.datallowconn
  AND d.datconnlimit >= 0
UNION ALL
SELECT NULL, r.rolconnlimit,
       (SELECT count(*) FROM pg_stat_activity AS a WHERE a.usesysid = r.oid AND a.pid <> pg_backend_pid()),
       format('ALTER ROLE %I CONNECTION LIMIT ', r.rolname)
FROM pg_roles AS r
WHERE r.rolname = current_user
  AND NOT r.rolsuper
  AND r.rolconnlimit >= 0
ORDER BY 1
