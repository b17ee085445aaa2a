/* ---
description: Size and rows of the biggest InnoDB tables of each server; partitions are added up.
interval: 15m
lane: slow
timeout: 30s
max_series: 1000
needs: [process]
top: {key: [database, table], weight: size_bytes, limit: 200}
metrics:
  dbwatch_table_size_bytes:
    {value: size_bytes, labels: {database: database, schema: "=", table: table, component: =file}}
  dbwatch_table_rows: {value: table_rows, labels: {database: database, schema: "=", table: table}}
--- */
-- By bytes (COLLATE): the server's own order takes été for ete, and T for t.
-- @when mariadb
SELECT CONVERT(CONVERT(CAST(SUBSTRING_INDEX(f.name, '/', 1) AS BINARY) USING filename) USING utf8mb4) AS `database`,
       CONVERT(CONVERT(CAST(SUBSTRING_INDEX(f.name, '/', -1) AS BINARY) USING filename) USING utf8mb4) AS `table`,
       f.size_bytes,
       f.table_rows
FROM (
    SELECT SUBSTRING_INDEX(t.name, '#P#', 1) COLLATE utf8mb3_bin AS name,
           SUM(t.file_size) AS size_bytes,
           SUM(IF(s.stats_initialized, s.num_rows, NULL)) AS table_rows
    FROM information_schema.innodb_sys_tablespaces AS t
    LEFT JOIN information_schema.innodb_sys_tablestats AS s ON s.name = t.name
    WHERE t.name LIKE '%/%'
    GROUP BY 1
) AS f
-- @when not mariadb
-- innodb_tablespaces spells a name as it is, innodb_tables as on disk: there #p# can only mean a partition.
SELECT SUBSTRING_INDEX(t.name, '/', 1) COLLATE utf8mb3_bin AS `database`,
       IF(i.name LIKE '%#p#%', SUBSTRING_INDEX(SUBSTRING_INDEX(t.name, '#p#', 1), '/', -1),
          SUBSTRING_INDEX(t.name, '/', -1)) COLLATE utf8mb3_bin AS `table`,
       SUM(t.file_size) AS size_bytes,
       SUM(IF(s.stats_initialized = 'Initialized', s.num_rows, NULL)) AS table_rows
FROM information_schema.innodb_tablespaces AS t
LEFT JOIN information_schema.innodb_tables AS i ON i.space = t.space
LEFT JOIN information_schema.innodb_tablestats AS s ON s.table_id = i.table_id
WHERE t.space_type = 'Single' AND t.name LIKE '%/%'
GROUP BY 1, 2
