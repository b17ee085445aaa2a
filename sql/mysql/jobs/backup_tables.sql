/* ---
description: The tables of all databases, and whether their engine knows transactions.
timeout: 60s
--- */
SELECT t.table_schema AS `database`,
       t.table_name AS name,
       CAST(COALESCE(t.data_length + t.index_length, 0) AS SIGNED) AS bytes,
       t.table_type AS type,
       COALESCE(t.engine, '') AS engine,
       IF(e.transactions = 'YES', 1, 0) AS transactional
FROM information_schema.tables AS t
LEFT JOIN information_schema.engines AS e ON e.engine = t.engine
WHERE t.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
  AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
ORDER BY t.table_schema, t.table_name
