/* ---
description: How far AUTO_INCREMENT has come in the range of its column, the most exhausted first.
interval: 1h
lane: heavy
timeout: 60s
max_series: 30
needs: [process]
top: {key: [database, table, column], weight: ratio, limit: 20}
metrics:
  dbwatch_key_exhaustion_ratio: {value: ratio, labels: {database: database, schema: "=", table: table, column: column}}
--- */
-- InnoDB knows a table's next number, but not whose column it is. Such a column is an integer, NOT NULL, and the first
-- one of an index. Where only one is all that, it is known; where several are, it is the one that makes up the primary
-- key, if no other one is unique; else there is no row. MariaDB knows a number only from a table's first use after the
-- start; MySQL shows nothing of partitioned tables.
-- STRAIGHT_JOIN and DISTINCT: each list is read once, and joined by an index on the fly.
-- @when mariadb
SELECT CONVERT(CONVERT(CAST(SUBSTRING_INDEX(k.name, '/', 1) AS BINARY) USING filename) USING utf8mb4) AS `database`,
       CONVERT(CONVERT(CAST(SUBSTRING_INDEX(k.name, '/', -1) AS BINARY) USING filename) USING utf8mb4) AS `table`,
       k.column_name AS `column`,
       MAX(LEAST(1, k.autoinc / (POW(2, k.bits) - 1))) AS ratio
FROM (
    SELECT SUBSTRING_INDEX(t.name, '#P#', 1) COLLATE utf8mb3_bin AS name, s.autoinc,
           CASE WHEN COUNT(*) = 1 THEN MAX(c.name)
                WHEN SUM(f.is_key) = 1 AND SUM(f.is_unique) = 1 THEN MAX(IF(f.is_key, c.name, NULL)) END AS column_name,
           CASE WHEN COUNT(*) = 1 THEN MAX(c.bits) ELSE MAX(IF(f.is_key, c.bits, NULL)) END AS bits
    FROM information_schema.innodb_sys_tablestats AS s
    STRAIGHT_JOIN (
        SELECT x.table_id, i.name,
               MAX(x.type = 3 AND i.fields = 1) AS is_key, MAX(x.type IN (2, 3) AND i.fields = 1) AS is_unique
        FROM information_schema.innodb_sys_indexes AS x
        STRAIGHT_JOIN (
            SELECT n.index_id, COUNT(*) AS fields, MAX(IF(n.pos = 0, n.name, NULL)) AS name
            FROM information_schema.innodb_sys_fields AS n
            GROUP BY 1
        ) AS i ON i.index_id = x.index_id
        WHERE x.type IN (0, 2, 3)
        GROUP BY 1, 2
    ) AS f ON f.table_id = s.table_id
    STRAIGHT_JOIN (
        -- 6 is INT; of the precise type, the low byte is MySQL's number of it, then bits for NOT NULL and UNSIGNED.
        SELECT DISTINCT n.table_id, n.name, 8 * n.len - IF(n.prtype & 512, 0, 1) AS bits
        FROM information_schema.innodb_sys_columns AS n
        WHERE n.mtype = 6 AND n.prtype & 255 IN (1, 2, 3, 8, 9) AND n.prtype & 256
    ) AS c ON c.table_id = f.table_id AND c.name = f.name
    STRAIGHT_JOIN (
        SELECT DISTINCT n.table_id, n.name FROM information_schema.innodb_sys_tables AS n
    ) AS t ON t.table_id = s.table_id
    WHERE s.autoinc > 1
    GROUP BY s.table_id, t.name, s.autoinc
) AS k
WHERE k.column_name IS NOT NULL
GROUP BY k.name, k.column_name
-- @when not mariadb
-- innodb_tablespaces spells a name as it is, innodb_tables as on disk.
SELECT SUBSTRING_INDEX(k.name, '/', 1) AS `database`,
       SUBSTR(k.name, LOCATE('/', k.name) + 1) AS `table`,
       k.column_name AS `column`,
       LEAST(1, k.autoinc / (POW(2, k.bits) - 1)) AS ratio
FROM (
    SELECT t.name, s.autoinc,
           CASE WHEN COUNT(*) = 1 THEN MAX(c.name)
                WHEN SUM(f.is_key) = 1 AND SUM(f.is_unique) = 1 THEN MAX(IF(f.is_key, c.name, NULL)) END AS column_name,
           CASE WHEN COUNT(*) = 1 THEN MAX(c.bits) ELSE MAX(IF(f.is_key, c.bits, NULL)) END AS bits
    FROM information_schema.innodb_tablestats AS s
    STRAIGHT_JOIN (
        SELECT x.table_id, i.name,
               MAX(x.type = 3 AND i.fields = 1) AS is_key, MAX(x.type IN (2, 3) AND i.fields = 1) AS is_unique
        FROM information_schema.innodb_indexes AS x
        STRAIGHT_JOIN (
            SELECT CAST(n.index_id AS UNSIGNED) AS index_id, COUNT(*) AS fields,
                   MAX(IF(n.pos = 0, n.name, NULL)) COLLATE utf8mb3_bin AS name
            FROM information_schema.innodb_fields AS n
            GROUP BY 1
        ) AS i ON i.index_id = x.index_id
        WHERE x.type IN (0, 2, 3)
        GROUP BY 1, 2
    ) AS f ON f.table_id = s.table_id
    STRAIGHT_JOIN (
        -- 6 is INT; of the precise type, the low byte is MySQL's number of it, then bits for NOT NULL and UNSIGNED.
        SELECT DISTINCT n.table_id, n.name COLLATE utf8mb3_bin AS name, 8 * n.len - IF(n.prtype & 512, 0, 1) AS bits
        FROM information_schema.innodb_columns AS n
        WHERE n.mtype = 6 AND n.prtype & 255 IN (1, 2, 3, 8, 9) AND n.prtype & 256
    ) AS c ON c.table_id = f.table_id AND c.name = f.name
    STRAIGHT_JOIN (
        SELECT DISTINCT n.table_id, COALESCE(p.name, n.name) COLLATE utf8mb3_bin AS name
        FROM information_schema.innodb_tables AS n
        LEFT JOIN (
            SELECT DISTINCT p.space, p.name FROM information_schema.innodb_tablespaces AS p WHERE p.space_type = 'Single'
        ) AS p ON p.space = n.space
    ) AS t ON t.table_id = s.table_id
    WHERE s.autoinc > 1
    GROUP BY s.table_id, t.name, s.autoinc
) AS k
WHERE k.column_name IS NOT NULL
