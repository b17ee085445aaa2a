/* ---
description: For each table, an expression that writes one row so that two rows are alike only if equal.
timeout: 120s
--- */
-- Joined by commas: numbers and times as they are, NULL as N, texts as their length and their bytes. Long ones as their
-- SHA2: a row stays far below max_allowed_packet. Geometry and vectors are bytes already; JSON of MySQL is text
-- only after a conversion.
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
           ORDER BY q.ordinal_position SEPARATOR ',') AS expression
FROM (
    SELECT c.table_schema, c.table_name, c.ordinal_position, c.data_type, c.is_nullable,
           CONCAT('`', REPLACE(c.column_name, '`', '``'), '`') AS name
    FROM information_schema.columns AS c
    WHERE c.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
) AS q
GROUP BY q.table_schema, q.table_name
