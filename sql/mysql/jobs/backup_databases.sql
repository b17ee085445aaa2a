/* ---
description: The databases that a dump may hold, with their size.
timeout: 60s
--- */
SELECT s.schema_name AS name,
       CAST(COALESCE(SUM(t.data_length + t.index_length), 0) AS SIGNED) AS bytes,
       s.default_character_set_name AS encoding,
       s.default_collation_name AS collation
FROM information_schema.schemata AS s
LEFT JOIN information_schema.tables AS t ON t.table_schema = s.schema_name
WHERE s.schema_name NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
GROUP BY s.schema_name, s.default_character_set_name, s.default_collation_name
ORDER BY s.schema_name
