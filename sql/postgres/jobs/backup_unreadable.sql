/* ---
description: What a dump of this database would lack, because this account may not read it.
timeout: 60s
--- */
WITH relation AS (
    SELECT c.oid, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
           format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'S')
      AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_'
      AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
)
SELECT 'schema' AS kind, quote_ident(n.nspname) AS name,
       format('GRANT USAGE ON SCHEMA %I TO %I;', n.nspname, current_user) AS remedy
FROM pg_namespace AS n
WHERE n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND NOT has_schema_privilege(n.oid, 'USAGE')
UNION ALL
SELECT 'table', r.name, format('GRANT SELECT ON TABLE %s TO %I;', r.name, current_user)
FROM relation AS r
WHERE r.relkind IN ('r', 'p')
  AND NOT has_table_privilege(r.oid, 'SELECT')
UNION ALL
SELECT 'sequence', r.name, format('GRANT SELECT ON SEQUENCE %s TO %I;', r.name, current_user)
FROM relation AS r
-- Not has_sequence_privilege(), which refuses what is none: the planner may ask it before it looks at the kind.
WHERE r.relkind = 'S'
  AND NOT has_table_privilege(r.oid, 'SELECT')
UNION ALL
-- A policy of rows would hide some of them.
SELECT 'row security', r.name, format('ALTER ROLE %I BYPASSRLS;', current_user)
FROM relation AS r
CROSS JOIN pg_roles AS me
WHERE me.rolname = current_user
  AND r.relrowsecurity
  AND NOT me.rolsuper
  AND NOT me.rolbypassrls
  AND (r.relforcerowsecurity OR NOT pg_has_role(r.relowner, 'USAGE'))
UNION ALL
SELECT 'large object', l.oid::text, format('GRANT SELECT ON LARGE OBJECT %s TO %I;', l.oid, current_user)
FROM pg_largeobject_metadata AS l
CROSS JOIN pg_roles AS me
WHERE me.rolname = current_user
  AND NOT me.rolsuper
  AND current_setting('lo_compat_privileges') = 'off'
  AND NOT pg_has_role(l.lomowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM aclexplode(l.lomacl) AS a
                  WHERE a.privilege_type = 'SELECT'
                    AND CASE WHEN a.grantee = 0 THEN true ELSE pg_has_role(a.grantee, 'USAGE') END)
ORDER BY 1, 2
LIMIT 100
