/* ---
description: What a dump of this database would lack, because this account may not read it.
timeout: 60s
--- */
-- The role that reads everything mends all of it at once, also what is made tomorrow. Before 14 there is none, it helps nobody
-- who does not inherit, and it covers no large objects: those are granted one by one, in a loop. `enough`: where many are
-- missing, and there is no such role, what mends them by schema. `everywhere`: it mends all databases, whichever it is run in.
WITH me AS (
    SELECT r.rolname, r.rolsuper, r.rolbypassrls,
           r.rolinherit AND EXISTS (SELECT FROM pg_roles AS a
                                    WHERE a.rolname = 'pg_read_all_data' AND NOT pg_has_role(a.oid, 'MEMBER')) AS may_join
    FROM pg_roles AS r
    WHERE r.rolname = current_user
), relation AS (
    SELECT c.oid, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity, n.nspname,
           format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'S')
      AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_'
      AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), missing AS (
    SELECT 'schema' AS kind, quote_ident(n.nspname) AS name,
           format('USAGE ON SCHEMA %I', n.nspname) AS lacking,
           format('USAGE ON SCHEMA %I', n.nspname) AS lacking_alike
    FROM pg_namespace AS n
    WHERE n.nspname !~ '^pg_'
      AND n.nspname <> 'information_schema'
      AND NOT has_schema_privilege(n.oid, 'USAGE')
    UNION ALL
    -- Not has_sequence_privilege(), which refuses what is none: the planner may ask it before it looks at the kind.
    SELECT CASE r.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, r.name,
           format('SELECT ON %s %s', CASE r.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, r.name),
           format('SELECT ON ALL %s IN SCHEMA %I', CASE r.relkind WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END, r.nspname)
    FROM relation AS r
    WHERE NOT has_table_privilege(r.oid, 'SELECT')
)
SELECT m.kind, m.name,
       format('GRANT %s TO %I;', CASE WHEN me.may_join THEN 'pg_read_all_data' ELSE m.lacking END, me.rolname) AS remedy,
       format('GRANT %s TO %I;', CASE WHEN me.may_join THEN 'pg_read_all_data' ELSE m.lacking_alike END, me.rolname)
       AS enough,
       me.may_join AS everywhere
FROM missing AS m
CROSS JOIN me
UNION ALL
-- A policy of rows would hide some of them.
SELECT 'row security', r.name, format('ALTER ROLE %I BYPASSRLS;', me.rolname), format('ALTER ROLE %I BYPASSRLS;', me.rolname),
       true
FROM relation AS r
CROSS JOIN me
WHERE r.relrowsecurity
  AND NOT me.rolsuper
  AND NOT me.rolbypassrls
  AND (r.relforcerowsecurity OR NOT pg_has_role(r.relowner, 'USAGE'))
UNION ALL
SELECT 'large objects', format('(%s of them)', o.number), o.remedy, o.remedy, false
FROM (
    SELECT count(*) AS number,
           format('DO $grant$DECLARE l oid; BEGIN FOR l IN SELECT oid FROM pg_largeobject_metadata LOOP '
                  || 'EXECUTE format(''GRANT SELECT ON LARGE OBJECT %%s TO %%I'', l, %1$L); END LOOP; END$grant$; '
                  || '/* those to come too, but to be written as well: ALTER ROLE %1$I SET lo_compat_privileges = on; */',
                  me.rolname) AS remedy
    FROM pg_largeobject_metadata AS l
    CROSS JOIN me
    WHERE NOT me.rolsuper
      AND current_setting('lo_compat_privileges') = 'off'
      AND NOT pg_has_role(l.lomowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM aclexplode(l.lomacl) AS a
                      WHERE a.privilege_type = 'SELECT'
                        AND CASE WHEN a.grantee = 0 THEN true ELSE pg_has_role(a.grantee, 'USAGE') END)
    GROUP BY me.rolname
) AS o
ORDER BY 1, 2
