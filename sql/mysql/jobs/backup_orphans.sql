/* ---
description: Sessions of our account that a backup marked. The mark stands in a comment of what they run.
timeout: 5s
--- */
-- @when mariadb
SELECT p.id AS id,
       p.info AS info
FROM information_schema.processlist AS p
WHERE p.user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)
  AND p.id <> CONNECTION_ID()
  AND p.info LIKE '%/* %dbwatch/%'
-- @when not mariadb
SELECT p.id AS id,
       p.info AS info
FROM performance_schema.processlist AS p
WHERE p.user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)
  AND p.id <> CONNECTION_ID()
  AND p.info LIKE '%/* %dbwatch/%'
