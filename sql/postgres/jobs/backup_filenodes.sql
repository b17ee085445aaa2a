/* ---
description: Where the rows of each table are stored now. TRUNCATE and ALTER TABLE move them.
timeout: 60s
--- */
SELECT format('%s %s', c.oid, c.relfilenode) AS storage
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
