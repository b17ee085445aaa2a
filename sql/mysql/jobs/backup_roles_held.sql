/* ---
description: The roles that the account may use and give to others, as the one who made them.
timeout: 5s
--- */
-- Only MariaDB: who makes a role holds it there.
-- @when mariadb
SELECT a.role_name AS role, CONCAT('`', REPLACE(a.role_name, '`', '``'), '`') AS quoted
FROM information_schema.applicable_roles AS a
WHERE a.is_grantable = 'YES'
  AND a.grantee = CURRENT_USER()
ORDER BY a.role_name
