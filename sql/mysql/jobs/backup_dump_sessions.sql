/* ---
description: Sessions of our account that came after one of ours, whether their transaction began, and our mark in them.
timeout: 5s
--- */
-- The mark stands where a dump reads rows: in the text of all that it asks of a table.
-- @when mariadb
SELECT p.id AS id,
       IF(x.trx_mysql_thread_id IS NULL, 0, 1) AS begun,
       COALESCE(INSTR(p.info, '{mark}') > 0, 0) AS marked
FROM information_schema.processlist AS p
LEFT JOIN information_schema.innodb_trx AS x ON x.trx_mysql_thread_id = p.id
WHERE p.user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)
  AND p.id > {after}
  AND p.id <> CONNECTION_ID()
-- @when not mariadb
SELECT p.id AS id,
       IF(x.trx_mysql_thread_id IS NULL, 0, 1) AS begun,
       COALESCE(INSTR(p.info, '{mark}') > 0, 0) AS marked
FROM performance_schema.processlist AS p
LEFT JOIN information_schema.innodb_trx AS x ON x.trx_mysql_thread_id = p.id
WHERE p.user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)
  AND p.id > {after}
  AND p.id <> CONNECTION_ID()
