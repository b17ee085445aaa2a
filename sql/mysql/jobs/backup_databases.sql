/* ---
description: The databases that a dump may hold, with their size.
timeout: 60s
--- */
-- Those with sequences first: the default of a table may ask one of another database, and its rows come in with it.
-- By bytes, in what follows too: MariaDB's own collation takes two names that differ by case alone for one.
SELECT s.schema_name AS name,
       CAST(COALESCE(SUM(t.data_length + t.index_length), 0) AS SIGNED) AS bytes,
       s.default_character_set_name AS encoding,
       s.default_collation_name AS collation
FROM information_schema.schemata AS s
LEFT JOIN information_schema.tables AS t ON CAST(t.table_schema AS BINARY) = CAST(s.schema_name AS BINARY)
WHERE s.schema_name NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
GROUP BY CAST(s.schema_name AS BINARY), s.schema_name, s.default_character_set_name, s.default_collation_name
ORDER BY COALESCE(MAX(t.table_type = 'SEQUENCE'), 0) DESC, CAST(s.schema_name AS BINARY)
