/* ---
description: Size of each database's InnoDB files, and how many tables it has.
interval: 5m
needs: [process]
metrics:
  dbwatch_database_size_bytes: {value: size_bytes, labels: {database: database}}
  dbwatch_tables: {value: tables, labels: {database: database}}
--- */
-- InnoDB's list of files: no table is opened and no right on any table is needed. information_schema.tables shows an
-- account without rights nothing, and says so to nobody. Tables of other engines have no such file.
-- A name is database/table, and the parts of a partitioned table end in #P#part. MariaDB's are as on disk (@0020). The
-- files that InnoDB makes for a fulltext index are in the size, and not in the number of tables.
-- By bytes (COLLATE): the server's own order takes été for ete.
-- @when mariadb
SELECT CONVERT(CONVERT(CAST(SUBSTRING_INDEX(t.name, '/', 1) AS BINARY) USING filename) USING utf8mb4)
           COLLATE utf8mb4_bin AS `database`,
       SUM(t.file_size) AS size_bytes,
       COUNT(DISTINCT IF(t.name RLIKE '/FTS_[0-9a-f]{16}_' OR q.space IS NOT NULL, NULL,
                         SUBSTRING_INDEX(t.name, '#P#', 1) COLLATE utf8mb3_bin)) AS tables
FROM information_schema.innodb_sys_tablespaces AS t
LEFT JOIN (
    -- The flag of 12288, no rollback, is a SEQUENCE: InnoDB keeps it as a table with one row.
    SELECT DISTINCT n.space FROM information_schema.innodb_sys_tables AS n WHERE n.flag & 12288 = 12288
) AS q ON q.space = t.space
WHERE t.name LIKE '%/%'
GROUP BY 1
-- @when not mariadb
SELECT SUBSTRING_INDEX(t.name, '/', 1) COLLATE utf8mb3_bin AS `database`,
       SUM(t.file_size) AS size_bytes,
       COUNT(DISTINCT IF(t.name RLIKE '/fts_[0-9a-f]{16}_', NULL, SUBSTRING_INDEX(t.name, '#p#', 1) COLLATE utf8mb3_bin))
           AS tables
FROM information_schema.innodb_tablespaces AS t
WHERE t.space_type = 'Single' AND t.name LIKE '%/%'
GROUP BY 1
