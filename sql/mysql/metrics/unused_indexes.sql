/* ---
description: Indexes that no statement of this server used since it started, a month ago or longer.
interval: 6h
lane: heavy
timeout: 60s
max_series: 30
needs: [process, instruments]
top: {key: [database, table, index], weight: pages, limit: 20}
metrics:
  dbwatch_index_unused: {value: unused, labels: {database: database, schema: "=", table: table, index: index}}
--- */
-- Without evidence there is no row: where performance_schema is off, does not count the use of indexes, had no room for
-- some of them, or has counted for less than 30 days. MariaDB's own count (userstat) does not tell since when.
-- Left out are unique indexes, and those on the columns of a foreign key: they work without being read.
-- @when mariadb and setting performance_schema = ON
SELECT s.object_schema AS `database`, s.object_name AS `table`, s.index_name AS `index`,
       SUM(k.pages) AS pages, 1 AS unused
FROM (
    SELECT DISTINCT
           CONVERT(CONVERT(CAST(SUBSTRING_INDEX(t.name, '/', 1) AS BINARY) USING filename) USING utf8mb3)
               COLLATE utf8mb3_bin AS `database`,
           CONVERT(CONVERT(CAST(SUBSTRING_INDEX(SUBSTRING_INDEX(t.name, '#P#', 1), '/', -1) AS BINARY) USING filename)
               USING utf8mb3) COLLATE utf8mb3_bin AS `table`,
           x.name COLLATE utf8mb3_bin AS `index`, t.name AS part, s.other_index_size AS pages
    FROM information_schema.innodb_sys_indexes AS x
    STRAIGHT_JOIN (
        SELECT DISTINCT n.index_id, n.name FROM information_schema.innodb_sys_fields AS n WHERE n.pos = 0
    ) AS f ON f.index_id = x.index_id
    STRAIGHT_JOIN (
        SELECT DISTINCT n.table_id, n.name
        FROM information_schema.innodb_sys_tables AS n
        WHERE n.name LIKE '%/%' AND n.name NOT LIKE 'mysql/%'
    ) AS t ON t.table_id = x.table_id
    STRAIGHT_JOIN (
        SELECT DISTINCT n.table_id, n.other_index_size FROM information_schema.innodb_sys_tablestats AS n
    ) AS s ON s.table_id = x.table_id
    LEFT JOIN (
        SELECT CONCAT(r.for_name, '/', c.for_col_name) COLLATE utf8mb3_bin AS place
        FROM information_schema.innodb_sys_foreign AS r
        JOIN information_schema.innodb_sys_foreign_cols AS c ON c.id = r.id
        UNION
        SELECT CONCAT(r.ref_name, '/', c.ref_col_name) COLLATE utf8mb3_bin
        FROM information_schema.innodb_sys_foreign AS r
        JOIN information_schema.innodb_sys_foreign_cols AS c ON c.id = r.id
    ) AS g ON g.place = CONCAT(SUBSTRING_INDEX(t.name, '#P#', 1), '/', f.name) COLLATE utf8mb3_bin
    WHERE x.type & ~128 = 0 AND g.place IS NULL
) AS k
STRAIGHT_JOIN (
    SELECT DISTINCT u.object_schema COLLATE utf8mb3_bin AS object_schema,
           u.object_name COLLATE utf8mb3_bin AS object_name, u.index_name COLLATE utf8mb3_bin AS index_name
    FROM performance_schema.table_io_waits_summary_by_index_usage AS u
    WHERE u.object_type = 'TABLE' AND u.index_name IS NOT NULL AND u.count_star = 0
) AS s ON s.object_schema = k.`database` AND s.object_name = k.`table` AND s.index_name = k.`index`
WHERE EXISTS (
    SELECT 1
    FROM performance_schema.setup_instruments AS i
    WHERE i.name = 'wait/io/table/sql/handler' AND i.enabled = 'YES'
)
AND (
    SELECT SUM(IF(g.variable_name = 'UPTIME', g.variable_value >= 30 * 86400, g.variable_value = 0))
    FROM information_schema.global_status AS g
    WHERE g.variable_name IN ('UPTIME', 'PERFORMANCE_SCHEMA_INDEX_STAT_LOST', 'PERFORMANCE_SCHEMA_TABLE_INSTANCES_LOST')
) = 3
GROUP BY 1, 2, 3
-- @when not mariadb and setting performance_schema = ON
SELECT k.`database`, k.`table`, k.`index`, k.pages, 1 AS unused
FROM (
    SELECT DISTINCT SUBSTRING_INDEX(t.name, '/', 1) AS `database`, SUBSTR(t.name, LOCATE('/', t.name) + 1) AS `table`,
           x.name COLLATE utf8mb3_bin AS `index`, CONCAT(t.name, '/', x.name) COLLATE utf8mb3_bin AS place,
           s.other_index_size AS pages
    FROM information_schema.innodb_indexes AS x
    STRAIGHT_JOIN (
        SELECT DISTINCT CAST(n.index_id AS UNSIGNED) AS index_id, n.name COLLATE utf8mb3_bin AS name
        FROM information_schema.innodb_fields AS n
        WHERE n.pos = 0
    ) AS f ON f.index_id = x.index_id
    STRAIGHT_JOIN (
        -- In a shared tablespace, a name with @ is spelt as on disk: nothing else is known by that name.
        SELECT DISTINCT n.table_id, COALESCE(p.name, n.name) COLLATE utf8mb3_bin AS name
        FROM information_schema.innodb_tables AS n
        LEFT JOIN (
            SELECT DISTINCT p.space, p.name FROM information_schema.innodb_tablespaces AS p WHERE p.space_type = 'Single'
        ) AS p ON p.space = n.space
        WHERE n.name LIKE '%/%' AND n.name NOT LIKE 'mysql/%' AND n.name NOT LIKE 'sys/%'
          AND (p.name IS NOT NULL OR n.name NOT LIKE '%@%')
    ) AS t ON t.table_id = x.table_id
    STRAIGHT_JOIN (
        SELECT DISTINCT n.table_id, n.other_index_size FROM information_schema.innodb_tablestats AS n
    ) AS s ON s.table_id = x.table_id
    LEFT JOIN (
        SELECT CONCAT(r.for_name, '/', c.for_col_name) COLLATE utf8mb3_bin AS place
        FROM information_schema.innodb_foreign AS r
        JOIN information_schema.innodb_foreign_cols AS c ON c.id = r.id
        UNION
        SELECT CONCAT(r.ref_name, '/', c.ref_col_name) COLLATE utf8mb3_bin
        FROM information_schema.innodb_foreign AS r
        JOIN information_schema.innodb_foreign_cols AS c ON c.id = r.id
    ) AS g ON g.place = CONCAT(t.name, '/', f.name)
    WHERE x.type & ~128 = 0 AND g.place IS NULL
) AS k
STRAIGHT_JOIN (
    SELECT DISTINCT CONVERT(CONCAT(u.object_schema, '/', u.object_name, '/', u.index_name) USING utf8mb3)
               COLLATE utf8mb3_bin AS place
    FROM performance_schema.table_io_waits_summary_by_index_usage AS u
    WHERE u.object_type = 'TABLE' AND u.index_name IS NOT NULL AND u.count_star = 0
) AS u ON u.place = k.place
WHERE EXISTS (
    SELECT 1
    FROM performance_schema.setup_instruments AS i
    WHERE i.name = 'wait/io/table/sql/handler' AND i.enabled = 'YES'
)
AND (
    SELECT SUM(IF(g.variable_name = 'Uptime', g.variable_value >= 30 * 86400, g.variable_value = 0))
    FROM performance_schema.global_status AS g
    WHERE g.variable_name IN ('Uptime', 'Performance_schema_index_stat_lost', 'Performance_schema_table_instances_lost')
) = 3
