/* ---
description: The columns of one table that can be written, and how two of its rows are compared.
timeout: 60s
--- */
-- {database} and {table} are the names in hexadecimal. Texts are compared by their bytes: in most collations `a` is `A`.
SELECT q.name,
       CASE WHEN q.is_text THEN CONCAT('CAST(', q.name, ' AS BINARY)') ELSE q.name END AS compared,
       q.name AS given,
       EXISTS (SELECT 1
               FROM information_schema.statistics AS s
               WHERE s.table_schema = q.table_schema AND s.table_name = q.table_name AND s.non_unique = 0
               GROUP BY s.index_name
               HAVING SUM(s.nullable = 'YES') = 0) AS is_keyed,
       (SELECT GROUP_CONCAT(r.constraint_name ORDER BY r.constraint_name SEPARATOR ', ')
        FROM information_schema.referential_constraints AS r
        WHERE r.constraint_schema = q.table_schema AND r.table_name = q.table_name) AS foreign_keys
FROM (
    SELECT c.table_schema, c.table_name, c.ordinal_position,
           CONCAT('`', REPLACE(c.column_name, '`', '``'), '`') AS name,
           c.data_type IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext') AS is_text
    FROM information_schema.columns AS c
    WHERE c.table_schema = CONVERT(UNHEX('{database}') USING utf8mb4)
      AND c.table_name = CONVERT(UNHEX('{table}') USING utf8mb4)
      AND COALESCE(c.generation_expression, '') = ''
) AS q
ORDER BY q.ordinal_position
