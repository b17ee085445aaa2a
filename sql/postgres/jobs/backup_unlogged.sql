/* ---
description: The unlogged tables and sequences of this database, of whose rows and values a standby has none.
timeout: 10s
--- */
SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'S')
  AND c.relpersistence = 'u'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
ORDER BY 1
