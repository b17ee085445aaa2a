/* ---
description: InnoDB tables of each database that have no primary key.
interval: 6h
lane: heavy
timeout: 60s
max_series: 500
needs: [process]
metrics:
  dbwatch_tables_without_primary_key: {value: tables, labels: {database: database}}
--- */
-- Such a table gets an index that nobody can name, GEN_CLUST_INDEX. MySQL shows nothing of partitioned tables.
-- @when mariadb
-- The flag of 12288, no rollback, is a SEQUENCE: InnoDB keeps it as a table with one row.
SELECT CONVERT(CONVERT(CAST(SUBSTRING_INDEX(t.name, '/', 1) AS BINARY) USING filename) USING utf8mb4)
           COLLATE utf8mb4_bin AS `database`,
       COUNT(DISTINCT IF(x.table_id IS NULL OR t.flag & 12288 = 12288, NULL,
                         SUBSTRING_INDEX(t.name, '#P#', 1) COLLATE utf8mb3_bin)) AS tables
FROM information_schema.innodb_sys_tables AS t
LEFT JOIN (
    SELECT DISTINCT n.table_id FROM information_schema.innodb_sys_indexes AS n WHERE n.name = 'GEN_CLUST_INDEX'
) AS x ON x.table_id = t.table_id
WHERE t.name LIKE '%/%' AND t.name NOT LIKE 'mysql/%'
GROUP BY 1
-- @when not mariadb
SELECT COALESCE(MAX(SUBSTRING_INDEX(p.name, '/', 1)), MAX(SUBSTRING_INDEX(t.name, '/', 1))) AS `database`,
       COUNT(x.table_id) AS tables
FROM information_schema.innodb_tables AS t
LEFT JOIN (
    SELECT DISTINCT p.space, p.name FROM information_schema.innodb_tablespaces AS p WHERE p.space_type = 'Single'
) AS p ON p.space = t.space
LEFT JOIN (
    SELECT DISTINCT n.table_id FROM information_schema.innodb_indexes AS n WHERE n.name = 'GEN_CLUST_INDEX'
) AS x ON x.table_id = t.table_id
WHERE t.name LIKE '%/%' AND t.name NOT LIKE 'mysql/%' AND t.name NOT LIKE 'sys/%'
GROUP BY SUBSTRING_INDEX(t.name, '/', 1) COLLATE utf8mb3_bin
