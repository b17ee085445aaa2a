/* ---
description: What pg_dump leaves out of this database without a word, because this account is no superuser.
timeout: 10s
--- */
SELECT 'subscription' AS kind, quote_ident(s.subname) AS name
FROM pg_subscription AS s
JOIN pg_database AS d ON d.oid = s.subdbid
CROSS JOIN pg_roles AS me
WHERE d.datname = current_database()
  AND me.rolname = current_user
  AND NOT me.rolsuper
UNION ALL
-- Options that are hidden look like none: what the account may see for sure is not told.
SELECT 'options of the user mapping',
       format('%s on %I', CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END, m.srvname)
FROM pg_user_mappings AS m
JOIN pg_foreign_server AS f ON f.oid = m.srvid
CROSS JOIN pg_roles AS me
WHERE me.rolname = current_user
  AND NOT me.rolsuper
  AND m.umoptions IS NULL
  AND NOT CASE WHEN m.umuser = 0 THEN pg_has_role(f.srvowner, 'USAGE')
               ELSE m.usename = current_user
                    AND (pg_has_role(f.srvowner, 'USAGE') OR has_server_privilege(f.oid, 'USAGE')) END
ORDER BY 1 DESC, 2
