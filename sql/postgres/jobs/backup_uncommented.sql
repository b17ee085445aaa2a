/* ---
description: The comments that pg_dump leaves out of this database, because the parent makes what they are on.
timeout: 10s
--- */
-- An inherited trigger that is switched otherwise than its parent's is dumped, and its comment too.
SELECT 'comment on' AS kind,
       pg_describe_object(d.classoid, d.objoid, 0) AS name
FROM pg_description AS d
LEFT JOIN pg_constraint AS k ON d.classoid = 'pg_constraint'::regclass AND k.oid = d.objoid
LEFT JOIN pg_trigger AS t ON d.classoid = 'pg_trigger'::regclass AND t.oid = d.objoid
LEFT JOIN pg_trigger AS p ON p.oid = t.tgparentid
WHERE (k.contype = 'f' AND k.conparentid <> 0)
   OR (k.contype = 'c' AND NOT k.conislocal)
   OR p.tgenabled = t.tgenabled
ORDER BY 2
