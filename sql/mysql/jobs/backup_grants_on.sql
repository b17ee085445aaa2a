/* ---
description: "What rights are given on, table or routine by name, and whether it is there still."
timeout: 60s
--- */
-- A table that is dropped leaves the rights on it behind, and nobody can give them again.
-- Where character_set_server is latin1, MariaDB writes the database of a right on a routine as if its UTF-8 were latin1.
-- @when mariadb
SELECT DISTINCT p.db AS `database`,
       CONCAT('`', REPLACE(p.db, '`', '``'), '`.`', REPLACE(p.table_name, '`', '``'), '`') AS quoted,
       t.table_name IS NOT NULL AS is_there
FROM mysql.tables_priv AS p
LEFT JOIN information_schema.tables AS t ON t.table_schema = p.db AND t.table_name = p.table_name
UNION ALL
SELECT DISTINCT COALESCE(r.db, l.db, p.db),
       CONCAT(p.routine_type, ' `', REPLACE(COALESCE(r.db, l.db, p.db), '`', '``'),
              '`.`', REPLACE(p.routine_name, '`', '``'), '`'),
       COALESCE(r.name, l.name) IS NOT NULL
FROM mysql.procs_priv AS p
LEFT JOIN mysql.proc AS r
       ON r.db = p.db AND r.name = p.routine_name AND CONCAT(r.type, '') = CONCAT(p.routine_type, '')
LEFT JOIN mysql.proc AS l
       ON l.db = CONVERT(CAST(CONVERT(p.db USING latin1) AS BINARY) USING utf8mb3)
      AND l.name = p.routine_name
      AND CONCAT(l.type, '') = CONCAT(p.routine_type, '')
ORDER BY 1, 2
-- @when not mariadb
SELECT DISTINCT p.db AS `database`,
       CONCAT('`', REPLACE(p.db, '`', '``'), '`.`', REPLACE(p.table_name, '`', '``'), '`') AS quoted,
       t.table_name IS NOT NULL AS is_there
FROM mysql.tables_priv AS p
LEFT JOIN information_schema.tables AS t ON t.table_schema = p.db AND t.table_name = p.table_name
UNION ALL
SELECT DISTINCT p.db,
       CONCAT(p.routine_type, ' `', REPLACE(p.db, '`', '``'), '`.`', REPLACE(p.routine_name, '`', '``'), '`'),
       r.routine_name IS NOT NULL
FROM mysql.procs_priv AS p
LEFT JOIN information_schema.routines AS r
       ON r.routine_schema = p.db
      AND r.routine_name = p.routine_name
      AND CONCAT(r.routine_type, '') = CONCAT(p.routine_type, '')
ORDER BY 1, 2
