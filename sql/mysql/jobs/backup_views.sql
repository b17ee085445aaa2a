/* ---
description: The views of all databases.
timeout: 60s
--- */
SELECT t.table_schema AS `database`,
       t.table_name AS name
FROM information_schema.tables AS t
WHERE t.table_type = 'VIEW'
  AND t.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
ORDER BY t.table_schema, t.table_name
