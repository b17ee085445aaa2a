/* ---
description: Tables with a unique key of which a dump may write two values alike, of FLOAT or of ENUM and SET, and why.
timeout: 60s
--- */
-- One of fixed decimals, FLOAT(9, 2), is dumped as it is. Grouped by bytes: information_schema of MariaDB takes two names
-- that differ by case alone for one. The member '' of an ENUM or SET is written as what is no member at all. Days that
-- their month has not (ALLOW_INVALID_DATES) cannot be told from the definition.
SELECT c.table_schema AS `database`, c.table_name AS name, IF(c.data_type = 'float', 'rounded', 'empty') AS why
FROM information_schema.columns AS c
JOIN information_schema.statistics AS s
    ON s.table_schema = c.table_schema
    AND s.table_name = c.table_name
    AND s.column_name = c.column_name
WHERE c.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
  AND ((c.data_type = 'float' AND c.numeric_scale IS NULL)
    OR (c.data_type IN ('enum', 'set') AND c.column_type REGEXP '[(,]''''[,)]'))
  AND COALESCE(c.generation_expression, '') = ''
  AND s.non_unique = 0
  AND CAST(s.table_schema AS BINARY) = CAST(c.table_schema AS BINARY)
  AND CAST(s.table_name AS BINARY) = CAST(c.table_name AS BINARY)
GROUP BY CAST(c.table_schema AS BINARY), CAST(c.table_name AS BINARY), c.table_schema, c.table_name, why
ORDER BY c.table_schema, c.table_name
