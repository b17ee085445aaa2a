/* ---
description: The tables of this database that nobody else may read now, with who holds each, or waits to and is waited for.
timeout: 2s
--- */
SELECT format('%I.%I', n.nspname, c.relname) AS name, l.granted, l.pid
FROM pg_locks AS l
JOIN pg_class AS c ON c.oid = l.relation
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
WHERE l.locktype = 'relation'
  AND l.mode = 'AccessExclusiveLock'
  AND c.relkind IN ('r', 'p')
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
ORDER BY l.granted DESC, 1, l.pid
