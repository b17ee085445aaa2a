/* ---
description: The columns of one table that can be written, and how two of its rows are compared.
timeout: 60s
--- */
-- {database} and {table} are the names in hexadecimal. They are compared by their bytes too: to information_schema of
-- MariaDB two names are one that differ by case or by an accent alone.
-- Texts are compared by their bytes: in most collations `a` is `A`.
-- is_cut: a dump may hold another value, unless {is_exact} says that it holds all of this table: six digits of a FLOAT,
-- and of an ENUM or SET that has the empty text as a member, not whether that member is meant or none. Two of them are
-- compared as a dump prints them; the range is what an index can find.
-- matched: of the columns of the first key that two rows can never share, and that a dump holds unchanged where there is
-- such a key.
WITH q AS (
    SELECT c.column_name, c.ordinal_position,
           CONCAT('`', REPLACE(c.column_name, '`', '``'), '`') AS name,
           COALESCE(c.generation_expression, '') <> '' AS is_generated,
           c.data_type IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext') AS is_text,
           NOT {is_exact} AND c.data_type = 'float' AND c.numeric_scale IS NULL AS is_rounded,
           NOT {is_exact} AND c.data_type IN ('enum', 'set')
               AND REPLACE(REPLACE(c.column_type, '(', ','), ')', ',') LIKE '%,'''',%' AS is_unclear
    FROM information_schema.columns AS c
    WHERE c.table_schema = CONVERT(UNHEX('{database}') USING utf8mb4)
      AND c.table_name = CONVERT(UNHEX('{table}') USING utf8mb4)
      AND (@@lower_case_table_names <> 0
           OR (CAST(c.table_schema AS BINARY) = UNHEX('{database}') AND CAST(c.table_name AS BINARY) = UNHEX('{table}')))
),
u AS (
    SELECT s.index_name, s.column_name, s.nullable, s.sub_part
    FROM information_schema.statistics AS s
    WHERE s.table_schema = CONVERT(UNHEX('{database}') USING utf8mb4)
      AND s.table_name = CONVERT(UNHEX('{table}') USING utf8mb4)
      AND (@@lower_case_table_names <> 0
           OR (CAST(s.table_schema AS BINARY) = UNHEX('{database}') AND CAST(s.table_name AS BINARY) = UNHEX('{table}')))
      AND s.non_unique = 0
),
k AS (
    SELECT u.index_name
    FROM u
    LEFT JOIN q ON q.column_name = u.column_name
    GROUP BY u.index_name
    HAVING SUM(u.nullable = 'YES'
               OR u.sub_part IS NOT NULL
               OR u.column_name IS NULL
               OR COALESCE(q.is_generated, 0)) = 0
    ORDER BY SUM(q.is_rounded OR q.is_unclear) > 0, u.index_name = 'PRIMARY' DESC, COUNT(*), u.index_name
    LIMIT 1
),
f AS (
    SELECT GROUP_CONCAT(r.constraint_name ORDER BY r.constraint_name SEPARATOR ', ') AS foreign_keys
    FROM information_schema.referential_constraints AS r
    WHERE r.constraint_schema = CONVERT(UNHEX('{database}') USING utf8mb4)
      AND r.table_name = CONVERT(UNHEX('{table}') USING utf8mb4)
      AND (@@lower_case_table_names <> 0
           OR (CAST(r.constraint_schema AS BINARY) = UNHEX('{database}')
               AND CAST(r.table_name AS BINARY) = UNHEX('{table}')))
)
SELECT q.name,
       CASE WHEN q.is_rounded THEN CONCAT('CONCAT(', q.name, ')')
            WHEN q.is_text OR q.is_unclear THEN CONCAT('CAST(', q.name, ' AS BINARY)')
            ELSE q.name END AS compared,
       q.name AS given,
       CASE WHEN u.column_name IS NULL THEN NULL
            WHEN q.is_rounded
            THEN CONCAT('CONCAT(dbwatch_live.', q.name, ') = CONCAT(dbwatch_lost.', q.name, ') AND dbwatch_live.', q.name,
                        ' BETWEEN dbwatch_lost.', q.name, ' - ABS(dbwatch_lost.', q.name, ') * 1e-5 AND dbwatch_lost.',
                        q.name, ' + ABS(dbwatch_lost.', q.name, ') * 1e-5')
            WHEN q.is_unclear
            THEN CONCAT('CAST(dbwatch_live.', q.name, ' AS BINARY) = CAST(dbwatch_lost.', q.name, ' AS BINARY)')
            ELSE CONCAT('dbwatch_live.', q.name, ' = dbwatch_lost.', q.name) END AS matched,
       q.is_rounded OR q.is_unclear AS is_cut,
       f.foreign_keys
FROM q
CROSS JOIN f
LEFT JOIN k ON TRUE
LEFT JOIN u ON u.index_name = k.index_name AND u.column_name = q.column_name
WHERE NOT q.is_generated
ORDER BY q.ordinal_position
