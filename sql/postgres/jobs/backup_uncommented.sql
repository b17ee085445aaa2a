/* ---
description: The comments that pg_dump leaves out of this database, because the parent or the view makes what they are on.
timeout: 10s
--- */
-- An inherited trigger that is switched otherwise than its parent's is dumped, and its comment too.
SELECT 'comment on' AS kind,
       pg_describe_object(d.classoid, d.objoid, 0) AS name
FROM pg_description AS d
LEFT JOIN pg_constraint AS k ON d.classoid = 'pg_constraint'::regclass AND k.oid = d.objoid
LEFT JOIN pg_trigger AS t ON d.classoid = 'pg_trigger'::regclass AND t.oid = d.objoid
LEFT JOIN pg_trigger AS p ON p.oid = t.tgparentid
LEFT JOIN pg_rewrite AS r ON d.classoid = 'pg_rewrite'::regclass AND r.oid = d.objoid AND d.objoid >= 16384
WHERE (k.contype = 'f' AND k.conparentid <> 0)
   OR (k.contype = 'c' AND NOT k.conislocal)
   OR p.tgenabled = t.tgenabled
   OR r.rulename = '_RETURN'
ORDER BY 2
