/* ---
description: Sessions of our account that came after one of ours, and whether their transaction has begun.
timeout: 5s
--- */
-- @when mariadb
SELECT p.id AS id,
       IF(x.trx_mysql_thread_id IS NULL, 0, 1) AS begun
FROM information_schema.processlist AS p
LEFT JOIN information_schema.innodb_trx AS x ON x.trx_mysql_thread_id = p.id
WHERE p.user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)
  AND p.id > {after}
  AND p.id <> CONNECTION_ID()
-- @when not mariadb
SELECT p.id AS id,
       IF(x.trx_mysql_thread_id IS NULL, 0, 1) AS begun
FROM performance_schema.processlist AS p
LEFT JOIN information_schema.innodb_trx AS x ON x.trx_mysql_thread_id = p.id
WHERE p.user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)
  AND p.id > {after}
  AND p.id <> CONNECTION_ID()
