/* ---
description: The objects of a database by kind and name, with a number made of their definitions.
timeout: 120s
--- */
-- Definitions are compared without white space, brackets and casts: PostgreSQL writes them anew after a restore, and not
-- always in the same words. What belongs to an extension is the extension's own affair.
WITH schema AS (
    SELECT n.oid, n.nspname AS name, n.nspowner, n.nspacl
    FROM pg_namespace AS n
    WHERE n.nspname !~ '^pg_'
      AND n.nspname <> 'information_schema'
),
foreign_to_us AS (
    SELECT d.classid, d.objid
    FROM pg_depend AS d
    WHERE d.deptype = 'e'
),
-- What a partition or a child inherits, and the rule that makes a view one: pg_dump lets the parent or the view make it,
-- and leaves out the comments on it (backup_uncommented names them).
inherited (classid, objid) AS (
    SELECT 'pg_constraint'::regclass, k.oid
    FROM pg_constraint AS k
    WHERE (k.contype = 'f' AND k.conparentid <> 0)
       OR (k.contype = 'c' AND NOT k.conislocal)
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid
    FROM pg_trigger AS t
    JOIN pg_trigger AS p ON p.oid = t.tgparentid
    WHERE p.tgenabled = t.tgenabled
    UNION ALL
    SELECT 'pg_rewrite'::regclass, r.oid
    FROM pg_rewrite AS r
    WHERE r.rulename = '_RETURN'
),
relation AS (
    SELECT c.oid, concat_ws('.', s.name, c.relname) AS name, c.relkind, c.relowner, c.relacl, c.relpersistence,
           c.relreplident, c.relrowsecurity, c.relforcerowsecurity, c.relpartbound, c.relispartition,
           array_to_string(ARRAY(SELECT o FROM unnest(c.reloptions) AS o ORDER BY o COLLATE "C"), ' ') AS options
    FROM pg_class AS c
    JOIN schema AS s ON s.oid = c.relnamespace
    WHERE c.relpersistence <> 't'
      AND NOT EXISTS (SELECT FROM foreign_to_us AS e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
),
granted (classid, objid, subid, rights) AS (
    SELECT g.classid, g.objid, g.subid,
           string_agg(concat_ws('/', CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee) END,
                                a.privilege_type, a.is_grantable), ' '
                      ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type, a.is_grantable)
    FROM (
        SELECT 'pg_class'::regclass AS classid, r.oid AS objid, 0 AS subid,
               coalesce(r.relacl, acldefault(CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.relowner)) AS acl
        FROM relation AS r
        WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL
        SELECT 'pg_class'::regclass, r.oid, a.attnum, a.attacl
        FROM relation AS r
        JOIN pg_attribute AS a ON a.attrelid = r.oid
        WHERE a.attacl IS NOT NULL
        UNION ALL
        SELECT 'pg_namespace'::regclass, s.oid, 0, coalesce(s.nspacl, acldefault('n', s.nspowner))
        FROM schema AS s
        UNION ALL
        SELECT 'pg_proc'::regclass, p.oid, 0, coalesce(p.proacl, acldefault('f', p.proowner))
        FROM pg_proc AS p
        JOIN schema AS s ON s.oid = p.pronamespace
        UNION ALL
        SELECT 'pg_type'::regclass, t.oid, 0, coalesce(t.typacl, acldefault('T', t.typowner))
        FROM pg_type AS t
        JOIN schema AS s ON s.oid = t.typnamespace
        WHERE t.typtype IN ('e', 'd', 'r')
    ) AS g
    CROSS JOIN LATERAL aclexplode(g.acl) AS a
    GROUP BY g.classid, g.objid, g.subid
),
object (kind, name, text) AS (
    SELECT 'schema', s.name::text, pg_get_userbyid(s.nspowner)::text
    FROM schema AS s
    WHERE NOT EXISTS (SELECT FROM foreign_to_us AS e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = s.oid)
    UNION ALL
    SELECT CASE r.relkind WHEN 'f' THEN 'foreign table' ELSE 'table' END, r.name,
           concat_ws(' ', r.relkind, pg_get_userbyid(r.relowner), r.relpersistence, r.relreplident, r.relrowsecurity,
                     r.relforcerowsecurity, r.options, pg_get_expr(r.relpartbound, r.oid), pg_get_partkeydef(r.oid),
                     (SELECT string_agg(p.inhparent::regclass::text, ' ' ORDER BY p.inhseqno)
                      FROM pg_inherits AS p WHERE p.inhrelid = r.oid))
    FROM relation AS r
    WHERE r.relkind IN ('r', 'p', 'f')
    UNION ALL
    SELECT CASE r.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, r.name,
           concat_ws(' ', pg_get_userbyid(r.relowner), r.options, pg_get_viewdef(r.oid))
    FROM relation AS r
    WHERE r.relkind IN ('v', 'm')
    UNION ALL
    SELECT 'column', concat_ws('.', r.name, a.attname),
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attstorage,
                     nullif(a.attcollation, 0)::regcollation, pg_get_expr(d.adbin, d.adrelid))
    FROM relation AS r
    JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')
    UNION ALL
    SELECT 'sequence', r.name,
           concat_ws(' ', pg_get_userbyid(r.relowner), q.seqtypid::regtype, q.seqstart, q.seqincrement, q.seqmax, q.seqmin,
                     q.seqcache, q.seqcycle)
    FROM relation AS r
    JOIN pg_sequence AS q ON q.seqrelid = r.oid
    UNION ALL
    SELECT 'index', r.name, concat_ws(' ', pg_get_indexdef(r.oid), i.indisreplident, i.indisclustered, r.options)
    FROM relation AS r
    JOIN pg_index AS i ON i.indexrelid = r.oid
    JOIN relation AS t ON t.oid = i.indrelid
    WHERE i.indisvalid OR r.relkind = 'I'
    UNION ALL
    SELECT 'constraint', concat_ws('.', r.name, c.contypid::regtype, c.conname),
           concat_ws(' ', c.contype, c.convalidated, pg_get_constraintdef(c.oid))
    FROM pg_constraint AS c
    JOIN schema AS s ON s.oid = c.connamespace
    LEFT JOIN relation AS r ON r.oid = c.conrelid
    -- NOT NULL is a constraint of its own since 18; the columns tell of it on all.
    WHERE c.contype <> 'n' AND (c.conrelid = 0 OR r.oid IS NOT NULL)
    UNION ALL
    SELECT 'trigger', concat_ws('.', r.name, t.tgname), concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid))
    FROM pg_trigger AS t
    JOIN relation AS r ON r.oid = t.tgrelid
    WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'rule', concat_ws('.', r.name, w.rulename), concat_ws(' ', w.ev_enabled, pg_get_ruledef(w.oid))
    FROM pg_rewrite AS w
    JOIN relation AS r ON r.oid = w.ev_class
    WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'policy', concat_ws('.', r.name, p.polname),
           concat_ws(' ', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid),
                     pg_get_expr(p.polwithcheck, p.polrelid),
                     (SELECT string_agg(CASE WHEN o = 0 THEN 'public' ELSE pg_get_userbyid(o) END, ' '
                                        ORDER BY pg_get_userbyid(o))
                      FROM unnest(p.polroles) AS o))
    FROM pg_policy AS p
    JOIN relation AS r ON r.oid = p.polrelid
    UNION ALL
    SELECT 'function', concat(s.name, '.', p.proname, '(', pg_get_function_identity_arguments(p.oid), ')'),
           concat_ws(' ', p.prokind, pg_get_userbyid(p.proowner), l.lanname, p.provolatile, p.proisstrict, p.prosecdef,
                     p.proleakproof, p.proparallel, pg_get_function_result(p.oid), array_to_string(p.proconfig, ' '), p.prosrc)
    FROM pg_proc AS p
    JOIN schema AS s ON s.oid = p.pronamespace
    JOIN pg_language AS l ON l.oid = p.prolang
    WHERE NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
    UNION ALL
    SELECT 'type', concat_ws('.', s.name, t.typname),
           concat_ws(' ', t.typtype, pg_get_userbyid(t.typowner), nullif(t.typbasetype, 0)::regtype, t.typnotnull, t.typdefault,
                     (SELECT string_agg(e.enumlabel, ' ' ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = t.oid))
    FROM pg_type AS t
    JOIN schema AS s ON s.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd', 'r')
      AND NOT EXISTS (SELECT FROM foreign_to_us AS e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
    UNION ALL
    SELECT 'extension', e.extname::text, '' FROM pg_extension AS e
    UNION ALL
    SELECT 'event trigger', t.evtname::text, concat_ws(' ', t.evtevent, t.evtenabled, array_to_string(t.evttags, ' '))
    FROM pg_event_trigger AS t
    UNION ALL
    SELECT 'publication', p.pubname::text,
           concat_ws(' ', p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,
                     (SELECT string_agg(r.prrelid::regclass::text, ' ' ORDER BY r.prrelid::regclass::text)
                      FROM pg_publication_rel AS r WHERE r.prpubid = p.oid))
    FROM pg_publication AS p
    UNION ALL
    SELECT 'foreign server', f.srvname::text, concat_ws(' ', pg_get_userbyid(f.srvowner), w.fdwname)
    FROM pg_foreign_server AS f
    JOIN pg_foreign_data_wrapper AS w ON w.oid = f.srvfdw
    UNION ALL
    SELECT 'statistics', concat_ws('.', s.name, x.stxname), pg_get_statisticsobjdef(x.oid)
    FROM pg_statistic_ext AS x
    JOIN schema AS s ON s.oid = x.stxnamespace
    UNION ALL
    SELECT 'operator', concat_ws('.', s.name, o.oprname), concat_ws(' ', o.oprleft::regtype, o.oprright::regtype, o.oprcode)
    FROM pg_operator AS o
    JOIN schema AS s ON s.oid = o.oprnamespace
    WHERE NOT EXISTS (SELECT FROM foreign_to_us AS e WHERE e.classid = 'pg_operator'::regclass AND e.objid = o.oid)
    UNION ALL
    SELECT 'collation', concat_ws('.', s.name, c.collname), concat_ws(' ', c.collprovider, c.collisdeterministic, c.collcollate)
    FROM pg_collation AS c
    JOIN schema AS s ON s.oid = c.collnamespace
    WHERE NOT EXISTS (SELECT FROM foreign_to_us AS e WHERE e.classid = 'pg_collation'::regclass AND e.objid = c.oid)
    UNION ALL
    SELECT 'text search configuration', concat_ws('.', s.name, c.cfgname), pg_get_userbyid(c.cfgowner)::text
    FROM pg_ts_config AS c
    JOIN schema AS s ON s.oid = c.cfgnamespace
    UNION ALL
    SELECT 'default privileges', concat_ws('.', d.defaclnamespace::regnamespace, pg_get_userbyid(d.defaclrole), d.defaclobjtype),
           (SELECT string_agg(concat_ws('/', CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee) END,
                                        a.privilege_type, a.is_grantable), ' '
                              ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type)
            FROM aclexplode(d.defaclacl) AS a)
    FROM pg_default_acl AS d
    UNION ALL
    SELECT 'privileges', pg_describe_object(g.classid, g.objid, g.subid), g.rights
    FROM granted AS g
    WHERE NOT EXISTS (SELECT FROM foreign_to_us AS e WHERE e.classid = g.classid AND e.objid = g.objid)
    UNION ALL
    SELECT 'comment', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description
    FROM pg_description AS d
    WHERE d.objoid >= 16384
      AND NOT EXISTS (SELECT FROM foreign_to_us AS e WHERE e.classid = d.classoid AND e.objid = d.objoid)
      AND NOT EXISTS (SELECT FROM inherited AS i WHERE i.classid = d.classoid AND i.objid = d.objoid)
      AND d.classoid <> 'pg_extension'::regclass
)
SELECT o.kind,
       o.name,
       count(*) AS number,
       sum(hashtextextended(regexp_replace(regexp_replace(concat(o.name, ' ', o.text), '[][()\s]', '', 'g'),
                                           '::("[^"]*"|[a-z0-9_.])+', '', 'g') COLLATE "C", 0)::numeric)::text AS digest
FROM object AS o
GROUP BY o.kind, o.name
ORDER BY o.kind COLLATE "C"
