/* ---
description: What the account for backups and its active roles may do. An empty database means all of them.
timeout: 5s
--- */
-- MariaDB names the grantee of a role without a host.
-- @when mariadb
SELECT p.privilege_type AS privilege, '' AS `database`
FROM information_schema.user_privileges AS p
WHERE REPLACE(p.grantee, '''', '') = CURRENT_USER()
   OR REPLACE(SUBSTRING_INDEX(p.grantee, '@', 1), '''', '') IN (
       SELECT e.role_name FROM information_schema.enabled_roles AS e
   )
UNION
SELECT p.privilege_type, p.table_schema
FROM information_schema.schema_privileges AS p
WHERE REPLACE(p.grantee, '''', '') = CURRENT_USER()
   OR REPLACE(SUBSTRING_INDEX(p.grantee, '@', 1), '''', '') IN (
       SELECT e.role_name FROM information_schema.enabled_roles AS e
   )
-- @when not mariadb
SELECT p.privilege_type AS privilege, '' AS `database`
FROM information_schema.user_privileges AS p
WHERE REPLACE(p.grantee, '''', '') = CURRENT_USER()
   OR REPLACE(p.grantee, '''', '`') IN (
       SELECT CONCAT('`', e.role_name, '`@`', e.role_host, '`') FROM information_schema.enabled_roles AS e
   )
UNION
SELECT p.privilege_type, p.table_schema
FROM information_schema.schema_privileges AS p
WHERE REPLACE(p.grantee, '''', '') = CURRENT_USER()
   OR REPLACE(p.grantee, '''', '`') IN (
       SELECT CONCAT('`', e.role_name, '`@`', e.role_host, '`') FROM information_schema.enabled_roles AS e
   )
