/* ---
description: The databases that InnoDB stores tables of, those that the account may not see included. Needs PROCESS.
timeout: 30s
--- */
-- A server shows nobody a database that he has no right on. InnoDB knows names as the files have them: encoded. MySQL 9
-- knows that character set no longer, so names with codes are known by their tablespaces alone; where a name holds a
-- slash or an @, it is not sure which it is, and it is left out. Some file systems store names in small letters.
-- @when mariadb
SELECT DISTINCT CONVERT(CONVERT(CAST(SUBSTRING_INDEX(t.name, '/', 1) AS BINARY) USING filename) USING utf8mb4) AS name
FROM information_schema.innodb_sys_tables AS t
WHERE t.name LIKE '%/%'
  AND SUBSTRING_INDEX(t.name, '/', 1) NOT IN ('mysql', 'sys')
  AND @@global.lower_case_table_names <> 2
-- @when not mariadb
SELECT SUBSTRING_INDEX(t.name, '/', 1) AS name
FROM information_schema.innodb_tables AS t
WHERE t.name LIKE '%/%'
  AND SUBSTRING_INDEX(t.name, '/', 1) NOT IN ('mysql', 'sys')
  AND SUBSTRING_INDEX(t.name, '/', 1) NOT LIKE '%@%'
  AND @@global.lower_case_table_names <> 2
UNION
SELECT SUBSTRING_INDEX(s.name, '/', 1)
FROM information_schema.innodb_tablespaces AS s
WHERE s.name LIKE '%/%'
  AND s.name NOT LIKE '%/%/%'
  AND SUBSTRING_INDEX(s.name, '/', 1) NOT IN ('mysql', 'sys')
  AND SUBSTRING_INDEX(s.name, '/', 1) NOT LIKE '%@%'
  AND @@global.lower_case_table_names <> 2
