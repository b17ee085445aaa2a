/* ---
description: The roles that are there already and that the account may not give to others, as a restore would.
timeout: 5s
--- */
-- Only MariaDB: no privilege makes up for the admin option there. MySQL's ALL holds ROLE_ADMIN.
-- @when mariadb
SELECT u.user AS role
FROM mysql.user AS u
WHERE u.is_role = 'Y'
  AND u.user <> 'PUBLIC'
  AND u.user NOT IN (
      SELECT a.role_name FROM information_schema.applicable_roles AS a WHERE a.is_grantable = 'YES'
  )
ORDER BY u.user
