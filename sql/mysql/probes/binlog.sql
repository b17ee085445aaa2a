/* ---
description: The files of the binary log are visible.
grant:
  mysql: "GRANT REPLICATION CLIENT ON *.* TO {user};"
  percona: "GRANT REPLICATION CLIENT ON *.* TO {user};"
  mariadb: "GRANT BINLOG MONITOR ON *.* TO {user};"
--- */
-- Our own grants are always visible; not those of a role, so an account with an active role is believed, and the
-- collector fails if it must.
-- @when mariadb
SELECT CURRENT_ROLE() IS NOT NULL OR EXISTS (
    SELECT 1
    FROM information_schema.user_privileges AS p
    WHERE p.grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')
      AND p.privilege_type IN ('BINLOG MONITOR', 'SUPER')
) AS visible
-- @when not mariadb
SELECT CURRENT_ROLE() <> 'NONE' OR EXISTS (
    SELECT 1
    FROM information_schema.user_privileges AS p
    WHERE p.grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')
      AND p.privilege_type IN ('REPLICATION CLIENT', 'SUPER')
) AS visible
