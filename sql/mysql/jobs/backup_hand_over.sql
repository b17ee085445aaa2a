/* ---
description: The columns of one table that can be written, and how two of its rows are compared.
timeout: 60s
--- */
-- {database} and {table} are the names in hexadecimal. Texts are compared by their bytes: in most collations `a` is `A`.
-- matched: of the columns of the first key that two rows can never share.
SELECT q.name,
       CASE WHEN q.is_text THEN CONCAT('CAST(', q.name, ' AS BINARY)') ELSE q.name END AS compared,
       q.name AS given,
       CASE WHEN k.column_name IS NOT NULL
            THEN CONCAT('dbwatch_live.', q.name, ' = dbwatch_lost.', q.name) END AS matched,
       (SELECT GROUP_CONCAT(r.constraint_name ORDER BY r.constraint_name SEPARATOR ', ')
        FROM information_schema.referential_constraints AS r
        WHERE r.constraint_schema = q.table_schema AND r.table_name = q.table_name) AS foreign_keys
FROM (
    SELECT c.table_schema, c.table_name, c.ordinal_position, c.column_name,
           CONCAT('`', REPLACE(c.column_name, '`', '``'), '`') AS name,
           c.data_type IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext') AS is_text
    FROM information_schema.columns AS c
    WHERE c.table_schema = CONVERT(UNHEX('{database}') USING utf8mb4)
      AND c.table_name = CONVERT(UNHEX('{table}') USING utf8mb4)
      AND COALESCE(c.generation_expression, '') = ''
) AS q
LEFT JOIN (
    SELECT s.column_name
    FROM information_schema.statistics AS s
    WHERE s.table_schema = CONVERT(UNHEX('{database}') USING utf8mb4)
      AND s.table_name = CONVERT(UNHEX('{table}') USING utf8mb4)
      AND s.index_name = (SELECT u.index_name
                          FROM information_schema.statistics AS u
                          LEFT JOIN information_schema.columns AS w
                              ON w.table_schema = u.table_schema
                              AND w.table_name = u.table_name
                              AND w.column_name = u.column_name
                          WHERE u.table_schema = CONVERT(UNHEX('{database}') USING utf8mb4)
                            AND u.table_name = CONVERT(UNHEX('{table}') USING utf8mb4)
                            AND u.non_unique = 0
                          GROUP BY u.index_name
                          HAVING SUM(u.nullable = 'YES'
                                     OR u.sub_part IS NOT NULL
                                     OR u.column_name IS NULL
                                     OR COALESCE(w.generation_expression, '') <> '') = 0
                          ORDER BY u.index_name = 'PRIMARY' DESC, COUNT(*), u.index_name
                          LIMIT 1)
) AS k ON k.column_name = q.column_name
ORDER BY q.ordinal_position
