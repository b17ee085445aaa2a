/* ---
description: Size, rows and fragmentation of the biggest InnoDB tables of each server; partitions are added up.
interval: 15m
lane: slow
timeout: 30s
max_series: 300
needs: [process]
top: {key: [database, table], weight: size_bytes, limit: 50}
metrics:
  dbwatch_table_size_bytes:
    - {value: file_bytes, labels: {database: database, schema: "=", table: table, component: =file}}
    - {value: shared_bytes, labels: {database: database, schema: "=", table: table, component: =shared}}
  dbwatch_table_rows: {value: table_rows, labels: {database: database, schema: "=", table: table}}
  dbwatch_mysql_table_used_bytes:
    - {value: data_bytes, labels: {database: database, table: table, component: =data}}
    - {value: index_bytes, labels: {database: database, table: table, component: =index}}
  dbwatch_mysql_table_free_bytes: {value: free_bytes, labels: {database: database, table: table}}
--- */
-- By bytes (COLLATE): the server's own order takes été for ete, and T for t.
-- DISTINCT: each list is read once, and joined by an index on the fly.
-- A table in a tablespace that it shares with others has no file: its size is that of its pages.
-- @when mariadb
-- Joined by number: the names of innodb_sys_tablestats are cut after 64 bytes.
SELECT CONVERT(CONVERT(CAST(SUBSTRING_INDEX(f.name, '/', 1) AS BINARY) USING filename) USING utf8mb4) AS `database`,
       CONVERT(CONVERT(CAST(SUBSTRING_INDEX(f.name, '/', -1) AS BINARY) USING filename) USING utf8mb4) AS `table`,
       COALESCE(f.file_bytes, 0) + COALESCE(f.shared_bytes, 0) AS size_bytes,
       f.file_bytes, f.shared_bytes, f.table_rows, f.data_bytes, f.index_bytes,
       -- Of the file: what no index holds, as of the last statistics. The server's DATA_FREE wants a right on the table.
       GREATEST(0, f.file_bytes - f.data_bytes - f.index_bytes) AS free_bytes
FROM (
    SELECT SUBSTRING_INDEX(i.name, '#P#', 1) COLLATE utf8mb3_bin AS name,
           SUM(t.file_size) AS file_bytes,
           SUM(IF(t.space IS NULL AND s.stats_initialized,
                  (s.clust_index_size + s.other_index_size) * @@global.innodb_page_size, NULL)) AS shared_bytes,
           SUM(IF(s.stats_initialized, s.num_rows, NULL)) AS table_rows,
           IF(MIN(s.stats_initialized), SUM(s.clust_index_size * i.page_bytes), NULL) AS data_bytes,
           IF(MIN(s.stats_initialized), SUM(s.other_index_size * i.page_bytes), NULL) AS index_bytes
    FROM (
        SELECT n.table_id, n.name, n.space,
               IF(n.zip_page_size > 0, n.zip_page_size, @@global.innodb_page_size) AS page_bytes
        FROM information_schema.innodb_sys_tables AS n
        WHERE n.name LIKE '%/%'
    ) AS i
    STRAIGHT_JOIN (
        SELECT DISTINCT n.table_id, n.stats_initialized, n.num_rows, n.clust_index_size, n.other_index_size
        FROM information_schema.innodb_sys_tablestats AS n
    ) AS s ON s.table_id = i.table_id
    LEFT JOIN (
        SELECT DISTINCT n.space, n.file_size FROM information_schema.innodb_sys_tablespaces AS n WHERE n.name LIKE '%/%'
    ) AS t ON t.space = i.space
    GROUP BY 1
) AS f
-- @when not mariadb
-- innodb_tablespaces spells a name as it is, innodb_tables as on disk: there #p# can only mean a partition. MySQL has no
-- statistics of partitions to show. A table with a name of other than plain letters, in a shared tablespace, is
-- spelt as on disk: there is nobody to ask for its name.
SELECT f.`database`, f.`table`,
       COALESCE(f.file_bytes, 0) + COALESCE(f.shared_bytes, 0) AS size_bytes,
       f.file_bytes, f.shared_bytes, f.table_rows, f.data_bytes, f.index_bytes, f.free_bytes
FROM (
    SELECT SUBSTRING_INDEX(i.name, '/', 1) COLLATE utf8mb3_bin AS `database`,
           SUBSTR(IF(i.is_partition, SUBSTRING_INDEX(i.name, '#p#', 1), i.name), LOCATE('/', i.name) + 1)
               COLLATE utf8mb3_bin AS `table`,
           SUM(i.file_size) AS file_bytes,
           SUM(IF(i.file_size IS NULL AND s.stats_initialized = 'Initialized',
                  (s.clust_index_size + s.other_index_size) * i.page_bytes, NULL)) AS shared_bytes,
           SUM(IF(s.stats_initialized = 'Initialized', s.num_rows, NULL)) AS table_rows,
           SUM(IF(s.stats_initialized = 'Initialized', s.clust_index_size * i.page_bytes, NULL)) AS data_bytes,
           SUM(IF(s.stats_initialized = 'Initialized', s.other_index_size * i.page_bytes, NULL)) AS index_bytes,
           SUM(d.data_free) AS free_bytes
    FROM (
        SELECT n.table_id, COALESCE(t.name, n.name) AS name, n.name LIKE '%#p#%' AS is_partition, t.space, t.file_size,
               IF(n.zip_page_size > 0, n.zip_page_size, @@global.innodb_page_size) AS page_bytes
        FROM information_schema.innodb_tables AS n
        LEFT JOIN (
            SELECT DISTINCT p.space, p.name, p.file_size
            FROM information_schema.innodb_tablespaces AS p
            WHERE p.space_type = 'Single'
        ) AS t ON t.space = n.space
        WHERE n.name LIKE '%/%'
    ) AS i
    LEFT JOIN (
        SELECT DISTINCT n.table_id, n.stats_initialized, n.num_rows, n.clust_index_size, n.other_index_size
        FROM information_schema.innodb_tablestats AS n
    ) AS s ON s.table_id = i.table_id
    LEFT JOIN (
        SELECT DISTINCT CAST(n.file_id AS UNSIGNED) AS space, n.data_free FROM information_schema.files AS n
    ) AS d ON d.space = i.space
    GROUP BY 1, 2
) AS f
