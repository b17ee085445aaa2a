/* ---
description: Indexes that the server itself calls invalid. No dump makes one.
timeout: 30s
--- */
SELECT format('index %I.%I is invalid', n.nspname, c.relname) AS what
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid
  AND c.relkind = 'i'
  AND n.nspname !~ '^pg_'
ORDER BY 1
LIMIT 50
