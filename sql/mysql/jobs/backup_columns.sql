/* ---
description: For each table, an expression that writes one row so that two rows are alike only if equal.
timeout: 120s
--- */
-- Joined by commas: numbers and times as they are, NULL as N, texts as their length and their bytes. Long ones as their
-- SHA2: a row stays far below max_allowed_packet. Geometry and vectors are bytes already; JSON of MySQL is text
-- only after a conversion.
-- `changing`: whether a dump of the row reads back as another value. It holds what is printed: six digits of a FLOAT,
-- and of an ENUM or SET that has the empty text as a member, not whether that member is meant or none. A day that its
-- month has not (ALLOW_INVALID_DATES) stands in the dump, which is read back by a session that makes it 0000-00-00.
-- Grouped by bytes: MariaDB's own collation takes two names that differ by case alone for one.
SELECT q.table_schema AS `database`,
       q.table_name AS name,
       GROUP_CONCAT(
           CASE
               WHEN q.data_type IN ('tinyblob', 'blob', 'mediumblob', 'longblob',
                                    'tinytext', 'text', 'mediumtext', 'longtext')
                   THEN CONCAT('COALESCE(SHA2(', q.name, ',256),''N'')')
               WHEN q.data_type = 'json'
                   THEN CONCAT('COALESCE(SHA2(CAST(', q.name, ' AS CHAR),256),''N'')')
               WHEN q.data_type IN ('geometry', 'point', 'linestring', 'polygon', 'multipoint', 'multilinestring',
                                    'multipolygon', 'geometrycollection', 'geomcollection', 'vector')
                   THEN CONCAT('COALESCE(SHA2(', q.name, ',256),''N'')')
               WHEN q.data_type = 'bit'
                   THEN CONCAT('COALESCE(CONCAT(''b'',', q.name, '+0),''N'')')
               WHEN q.data_type IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float', 'double',
                                    'date', 'time', 'datetime', 'timestamp', 'year')
                   THEN IF(q.is_nullable = 'NO', q.name, CONCAT('COALESCE(', q.name, ',''N'')'))
               ELSE CONCAT('COALESCE(LENGTH(', q.name, '),''N''),COALESCE(CAST(', q.name, ' AS BINARY),'''')')
           END
           ORDER BY q.ordinal_position SEPARATOR ',') AS expression,
       COALESCE(GROUP_CONCAT(
           CASE
               WHEN q.is_generated
                   THEN NULL
               WHEN q.data_type = 'float'
                   THEN CONCAT(q.name, '+0e0<>CAST(CONCAT(', q.name, ') AS FLOAT)+0e0')
               WHEN q.data_type = 'enum' AND q.has_empty_member
                   THEN CONCAT(q.name, '+0=0')
               WHEN q.data_type = 'set' AND q.has_empty_member
                   THEN CONCAT('(LENGTH(', q.name, ')=0 AND ', q.name, '+0<>0)')
               WHEN q.data_type IN ('date', 'datetime')
                   THEN CONCAT('DAYOFMONTH(', q.name, ')>DAYOFMONTH(LAST_DAY(', q.name, '))')
           END
           ORDER BY q.ordinal_position SEPARATOR ' OR '), 'FALSE') AS changing
FROM (
    SELECT c.table_schema, c.table_name, c.ordinal_position, c.data_type, c.is_nullable,
           COALESCE(c.generation_expression, '') <> '' AS is_generated,
           REPLACE(REPLACE(c.column_type, '(', ','), ')', ',') LIKE '%,'''',%' AS has_empty_member,
           CONCAT('`', REPLACE(c.column_name, '`', '``'), '`') AS name
    FROM information_schema.columns AS c
    WHERE c.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
) AS q
GROUP BY CAST(q.table_schema AS BINARY), CAST(q.table_name AS BINARY), q.table_schema, q.table_name
