/* ---
description: The views of all databases, and tables that may not open.
timeout: 60s
--- */
-- A table that does not open has no engine to tell; one of MERGE may lack the tables that it is made of.
SELECT t.table_schema AS `database`,
       t.table_name AS name,
       t.table_type AS type
FROM information_schema.tables AS t
WHERE (t.table_type = 'VIEW'
    OR (t.table_type = 'BASE TABLE' AND COALESCE(t.engine, 'MRG_MyISAM') = 'MRG_MyISAM'))
  AND t.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
ORDER BY t.table_schema, t.table_name
