/* ---
description: What writes down accounts and roles, one statement a row. Needs SELECT on the schema mysql.
timeout: 30s
--- */
-- 1 creates, 2 grants. The accounts that the server makes for itself stay its own; everybody, whom nobody makes, has
-- rights only.
-- @when mariadb
SELECT 1 AS part,
       CONCAT(u.user, '@', u.host) AS account,
       IF(u.is_role = 'Y',
          CONCAT('SELECT ', QUOTE(CONCAT('CREATE ROLE `', REPLACE(u.user, '`', '``'), '`'))),
          CONCAT('SHOW CREATE USER ', QUOTE(u.user), '@', QUOTE(u.host))) AS statement
FROM mysql.user AS u
WHERE u.user NOT IN ('mariadb.sys', 'PUBLIC')
UNION ALL
SELECT 2,
       CONCAT(u.user, '@', u.host),
       IF(u.is_role = 'Y',
          CONCAT('SHOW GRANTS FOR `', REPLACE(u.user, '`', '``'), '`'),
          CONCAT('SHOW GRANTS FOR ', QUOTE(u.user), '@', QUOTE(u.host)))
FROM mysql.user AS u
WHERE u.user <> 'mariadb.sys'
ORDER BY part, account
-- @when not mariadb
SELECT 1 AS part,
       CONCAT(u.user, '@', u.host) AS account,
       CONCAT('SHOW CREATE USER ', QUOTE(u.user), '@', QUOTE(u.host)) AS statement
FROM mysql.user AS u
WHERE u.user NOT IN ('mysql.sys', 'mysql.session', 'mysql.infoschema')
UNION ALL
SELECT 2,
       CONCAT(u.user, '@', u.host),
       CONCAT('SHOW GRANTS FOR ', QUOTE(u.user), '@', QUOTE(u.host))
FROM mysql.user AS u
WHERE u.user NOT IN ('mysql.sys', 'mysql.session', 'mysql.infoschema')
ORDER BY part, account
