/* ---
description: InnoDB's own tablespaces (undo, system, temporary) - how many, and how big.
interval: 5m
max_series: 10
needs: [process]
metrics:
  dbwatch_mysql_tablespace_size_bytes: {value: size_bytes, labels: {kind: kind}}
  dbwatch_mysql_tablespaces: {value: tablespaces, labels: {kind: kind}}
--- */
-- Those of users' tables are in database_sizes.
-- @when mariadb
-- MariaDB undoes in the system tablespace unless it was told to keep undo tablespaces (the default from 11.0 on).
SELECT CASE WHEN t.name LIKE 'innodb_undo%' THEN 'undo'
            WHEN t.name = 'innodb_temporary' THEN 'temporary'
            ELSE 'system' END AS kind,
       SUM(t.file_size) AS size_bytes,
       COUNT(*) AS tablespaces
FROM information_schema.innodb_sys_tablespaces AS t
WHERE t.name LIKE 'innodb!_%' ESCAPE '!'
GROUP BY 1
-- @when not mariadb
-- By name, which is indexed: 2,000 tables cost nothing. innodb_tablespaces would look at the file of each of them. An
-- undo tablespace that an administrator made has a name of its own, and is not counted.
SELECT CASE WHEN t.tablespace_name LIKE 'innodb!_undo%' ESCAPE '!' THEN 'undo'
            WHEN t.tablespace_name = 'innodb_temporary' THEN 'temporary'
            WHEN t.tablespace_name = 'mysql' THEN 'dictionary'
            ELSE 'system' END AS kind,
       SUM(t.total_extents * t.extent_size) AS size_bytes,
       COUNT(*) AS tablespaces
FROM information_schema.files AS t
WHERE t.tablespace_name LIKE 'innodb!_%' ESCAPE '!' OR t.tablespace_name = 'mysql'
GROUP BY 1
UNION ALL
SELECT 'session_temporary', SUM(s.size), COUNT(*)
FROM information_schema.innodb_session_temp_tablespaces AS s
