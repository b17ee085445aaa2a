/* ---
description: The tables whose rows a dump holds, and how to count and to hash them.
timeout: 60s
--- */
-- The columns by name: a restored child of an inheritance may have them in another order. What is generated is left out,
-- for it is made anew. Nothing of a foreign table is dumped, and of a materialized view only how to fill it again.
-- The hash of an enum is that of its OID, another one after each restore: rows that are parted by it pg_dump gives to the
-- topmost of the partitioned tables, which spreads them anew. `through` names it, and `within` the
-- partitioned tables between it and this one.
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       c.relkind <> 'p' AS has_rows,
       CASE WHEN c.relkind = 'p' THEN 0 ELSE pg_relation_size(c.oid) END AS bytes,
       c.relpersistence = 'u' AS is_unlogged,
       format('%s %s', c.oid, c.relfilenode) AS storage,
       format('%I.%I', n.nspname, c.relname) AS lock_name,
       coalesce(u.name, '') AS through,
       coalesce(u.within, '{}') AS within,
       format('SELECT count(*) AS number, NULL AS digest FROM' || ' ONLY %I.%I AS t', n.nspname, c.relname) AS counting,
       format('SELECT count(*) AS number, coalesce(sum(pg_catalog.hashtextextended(ROW(%s)::text COLLATE "C", 0)::numeric), 0)'
              || '::text AS digest FROM' || ' ONLY %I.%I AS t', k.names, n.nspname, c.relname) AS hashing
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attname COLLATE "C") AS names
    FROM pg_attribute AS a
    WHERE a.attrelid = c.oid
      AND a.attnum > 0
      AND NOT a.attisdropped
      AND a.attgenerated = ''
) AS k ON true
LEFT JOIN LATERAL (
    SELECT concat_ws('.', s.nspname, t.relname) AS name,
           ARRAY(SELECT concat_ws('.', z.nspname, y.relname)
                 FROM pg_partition_ancestors(c.oid) AS b(relid)
                 JOIN pg_class AS y ON y.oid = b.relid
                 JOIN pg_namespace AS z ON z.oid = y.relnamespace
                 WHERE y.oid NOT IN (c.oid, t.oid)
                 ORDER BY 1) AS within
    FROM pg_class AS t
    JOIN pg_namespace AS s ON s.oid = t.relnamespace
    WHERE c.relispartition
      AND t.oid = pg_partition_root(c.oid)
      AND EXISTS (SELECT FROM pg_partition_ancestors(c.oid) AS a(relid)
                  JOIN pg_partitioned_table AS p ON p.partrelid = a.relid
                  JOIN pg_opclass AS o ON o.oid = ANY (p.partclass)
                  JOIN pg_am AS m ON m.oid = o.opcmethod
                  WHERE o.opcname = 'enum_ops'
                    AND o.opcnamespace = 'pg_catalog'::regnamespace
                    AND m.amname = 'hash')
) AS u ON true
WHERE c.relkind IN ('r', 'p')
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT 'pg_catalog', 'pg_largeobject', true, pg_relation_size('pg_largeobject'), false, '', '', '', '{}',
       'SELECT count(*) AS number, NULL AS digest FROM' || ' pg_catalog.pg_largeobject_metadata AS t',
       'SELECT count(*) AS number, coalesce(sum(pg_catalog.hashtextextended(concat(t.oid, pg_catalog.md5('
       || 'pg_catalog.lo_get(t.oid))) COLLATE "C", 0)::numeric), 0)::text AS digest FROM'
       || ' pg_catalog.pg_largeobject_metadata AS t'
WHERE EXISTS (SELECT FROM pg_largeobject_metadata)
ORDER BY 4, 1, 2
