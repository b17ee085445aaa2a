/* ---
description: Indexes whose work another index of the same table does as well, those of the biggest tables first.
interval: 6h
lane: heavy
timeout: 60s
max_series: 30
needs: [process]
top: {key: [database, table, index], weight: pages, limit: 20}
metrics:
  dbwatch_index_redundant: {value: redundant, labels: {database: database, schema: "=", table: table, index: index}}
--- */
-- Superfluous is an index with the first columns of another one in the same order; of two with the same columns, the
-- younger, or the one that is not unique. A unique index is so only beside another unique one with the same columns.
-- InnoDB does not tell how much of a text column is indexed: where one is among the columns, only a unique index (of
-- which nobody indexes a part) proves that an index which is not unique is superfluous.
-- Of the type: 1 the table itself, 2 unique, 128 with virtual columns; whatever else is no ordinary index.
-- DISTINCT, STRAIGHT_JOIN: each list is read once, and joined by an index on the fly.
-- @when mariadb
SELECT CONVERT(CONVERT(CAST(SUBSTRING_INDEX(q.name, '/', 1) AS BINARY) USING filename) USING utf8mb4) AS `database`,
       CONVERT(CONVERT(CAST(SUBSTRING_INDEX(q.name, '/', -1) AS BINARY) USING filename) USING utf8mb4) AS `table`,
       q.index_name AS `index`, SUM(q.pages) AS pages, 1 AS redundant
FROM (
    SELECT SUBSTRING_INDEX(t.name, '#P#', 1) COLLATE utf8mb3_bin AS name,
           r.name COLLATE utf8mb3_bin AS index_name, s.other_index_size AS pages
    FROM (
        SELECT DISTINCT p.table_id, p.name
        FROM (
            SELECT a.table_id, a.index_id, a.name, a.type AS own_type, b.index_id AS other_id, b.type AS other_type,
                   f.fields AS own_fields, b.fields AS other_fields, COUNT(*) AS common_fields,
                   MAX(t.name IS NOT NULL) AS has_text
            FROM information_schema.innodb_sys_indexes AS a
            STRAIGHT_JOIN (
                SELECT DISTINCT n.index_id, n.pos, n.name, COUNT(*) OVER (PARTITION BY n.index_id) AS fields
                FROM information_schema.innodb_sys_fields AS n
            ) AS f ON f.index_id = a.index_id
            STRAIGHT_JOIN (
                SELECT DISTINCT CONCAT(x.table_id, ' ', i.pos, ' ', i.name) AS place, x.index_id, x.type, i.fields
                FROM information_schema.innodb_sys_indexes AS x
                STRAIGHT_JOIN (
                    SELECT DISTINCT n.index_id, n.pos, n.name, COUNT(*) OVER (PARTITION BY n.index_id) AS fields
                    FROM information_schema.innodb_sys_fields AS n
                ) AS i ON i.index_id = x.index_id
                WHERE x.type & ~131 = 0
            ) AS b ON b.place = CONCAT(a.table_id, ' ', f.pos, ' ', f.name)
            LEFT JOIN (
                SELECT DISTINCT n.table_id, n.name
                FROM information_schema.innodb_sys_columns AS n
                WHERE n.mtype <> 6 AND (n.prtype & 255 = 15 OR n.prtype & 255 >= 249)
            ) AS t ON t.table_id = a.table_id AND t.name = f.name
            WHERE a.type & ~130 = 0 AND b.index_id <> a.index_id
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        ) AS p
        WHERE p.common_fields = p.own_fields
          AND (NOT p.has_text OR (p.other_type & 2 AND NOT p.own_type & 2))
          AND IF(p.other_fields = p.own_fields,
                 p.other_type & 3 > p.own_type & 3 OR (p.other_type & 3 = p.own_type & 3 AND p.other_id < p.index_id),
                 NOT p.own_type & 2)
    ) AS r
    JOIN information_schema.innodb_sys_tables AS t ON t.table_id = r.table_id
    JOIN information_schema.innodb_sys_tablestats AS s ON s.table_id = r.table_id
    WHERE t.name NOT LIKE 'mysql/%'
) AS q
GROUP BY q.name, q.index_name
-- @when not mariadb
WITH listed AS (
    SELECT DISTINCT n.table_id, n.index_id, n.name, n.type
    FROM information_schema.innodb_indexes AS n
    WHERE n.type & ~131 = 0
),
field AS (
    SELECT DISTINCT CAST(n.index_id AS UNSIGNED) AS index_id, n.pos, n.name COLLATE utf8mb3_bin AS name
    FROM information_schema.innodb_fields AS n
),
size AS (
    SELECT n.index_id, COUNT(*) AS fields FROM field AS n GROUP BY 1
)
SELECT SUBSTRING_INDEX(t.name, '/', 1) AS `database`, SUBSTR(t.name, LOCATE('/', t.name) + 1) AS `table`,
       r.name COLLATE utf8mb3_bin AS `index`, s.other_index_size AS pages, 1 AS redundant
FROM (
    SELECT DISTINCT p.table_id, p.name
    FROM (
        SELECT a.table_id, a.index_id, a.name, a.type AS own_type, b.index_id AS other_id, b.type AS other_type,
               m.fields AS own_fields, o.fields AS other_fields, COUNT(*) AS common_fields,
               MAX(t.name IS NOT NULL) AS has_text
        FROM listed AS a
        STRAIGHT_JOIN field AS f ON f.index_id = a.index_id
        STRAIGHT_JOIN (
            SELECT DISTINCT CONCAT(x.table_id, ' ', i.pos, ' ', i.name) AS place, x.index_id, x.type
            FROM listed AS x
            STRAIGHT_JOIN field AS i ON i.index_id = x.index_id
        ) AS b ON b.place = CONCAT(a.table_id, ' ', f.pos, ' ', f.name)
        STRAIGHT_JOIN size AS m ON m.index_id = a.index_id
        STRAIGHT_JOIN size AS o ON o.index_id = b.index_id
        LEFT JOIN (
            SELECT DISTINCT n.table_id, n.name COLLATE utf8mb3_bin AS name
            FROM information_schema.innodb_columns AS n
            WHERE n.mtype <> 6 AND (n.prtype & 255 = 15 OR n.prtype & 255 >= 249)
        ) AS t ON t.table_id = a.table_id AND t.name = f.name
        WHERE a.type & ~130 = 0 AND b.index_id <> a.index_id
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ) AS p
    WHERE p.common_fields = p.own_fields
      AND (NOT p.has_text OR (p.other_type & 2 AND NOT p.own_type & 2))
      AND IF(p.other_fields = p.own_fields,
             p.other_type & 3 > p.own_type & 3 OR (p.other_type & 3 = p.own_type & 3 AND p.other_id < p.index_id),
             NOT p.own_type & 2)
) AS r
STRAIGHT_JOIN (
    SELECT DISTINCT n.table_id, COALESCE(p.name, n.name) COLLATE utf8mb3_bin AS name
    FROM information_schema.innodb_tables AS n
    LEFT JOIN (
        SELECT DISTINCT p.space, p.name FROM information_schema.innodb_tablespaces AS p WHERE p.space_type = 'Single'
    ) AS p ON p.space = n.space
    WHERE n.name NOT LIKE 'mysql/%' AND n.name NOT LIKE 'sys/%'
) AS t ON t.table_id = r.table_id
STRAIGHT_JOIN (
    SELECT DISTINCT n.table_id, n.other_index_size FROM information_schema.innodb_tablestats AS n
) AS s ON s.table_id = r.table_id
