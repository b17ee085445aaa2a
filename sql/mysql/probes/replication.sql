/* ---
description: The state of the replication channels is visible.
grant:
  mysql: "GRANT REPLICATION CLIENT ON *.* TO {user};"
  percona: "GRANT REPLICATION CLIENT ON *.* TO {user};"
  mariadb: "GRANT SLAVE MONITOR ON *.* TO {user};"
--- */
-- The status itself proves nothing where no channel is configured: no row either way. Our own grants are always
-- visible; not those of a role, so an account with an active role is believed, and the collector fails if it must.
-- @when mariadb
SELECT CURRENT_ROLE() IS NOT NULL OR EXISTS (
    SELECT 1
    FROM information_schema.user_privileges AS p
    WHERE p.grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')
      AND p.privilege_type IN ('SLAVE MONITOR', 'SUPER')
) AS visible
-- @when not mariadb
SELECT CURRENT_ROLE() <> 'NONE' OR EXISTS (
    SELECT 1
    FROM information_schema.user_privileges AS p
    WHERE p.grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')
      AND p.privilege_type IN ('REPLICATION CLIENT', 'SUPER')
) AS visible
