/* ---
description: Who the server is and which role it plays now. Needs no privilege.
timeout: 1s
--- */
-- A server that is read-only, or has a replication thread (seen with PROCESS), is a replica.
-- UNIX_TIMESTAMP() and Uptime are taken from the same second: the difference never wavers.
-- @when mariadb
SELECT 'version' AS name, @@global.version AS value
UNION ALL
SELECT 'version_comment', @@global.version_comment
UNION ALL
-- The account that answered to our name, as a GRANT has to call it.
SELECT 'account', CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', CHAR_LENGTH(CURRENT_USER())
                                               - CHAR_LENGTH(REPLACE(CURRENT_USER(), '@', '')))),
                         '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))
UNION ALL
SELECT 'started_at', UNIX_TIMESTAMP() - s.variable_value
FROM information_schema.global_status AS s
WHERE s.variable_name = 'UPTIME'
UNION ALL
SELECT 'clock', UNIX_TIMESTAMP() + MICROSECOND(NOW(6)) / 1000000
UNION ALL
SELECT 'role', IF(@@global.read_only NOT IN ('0', 'OFF') OR EXISTS (
    SELECT 1
    FROM information_schema.processlist AS p
    WHERE p.user = 'system user' AND p.command IN ('Slave_IO', 'Slave_SQL', 'Connect')
), 'replica', 'primary')
UNION ALL
SELECT 'performance_schema', IF(@@global.performance_schema, 'ON', 'OFF')
UNION ALL
SELECT 'log_bin', IF(@@global.log_bin, 'ON', 'OFF')
-- @when not mariadb
SELECT 'version' AS name, @@global.version AS value
UNION ALL
SELECT 'version_comment', @@global.version_comment
UNION ALL
-- The account that answered to our name, as a GRANT has to call it.
SELECT 'account', CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', CHAR_LENGTH(CURRENT_USER())
                                               - CHAR_LENGTH(REPLACE(CURRENT_USER(), '@', '')))),
                         '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))
UNION ALL
SELECT 'started_at', UNIX_TIMESTAMP() - s.variable_value
FROM performance_schema.global_status AS s
WHERE s.variable_name = 'Uptime'
UNION ALL
SELECT 'clock', UNIX_TIMESTAMP() + MICROSECOND(NOW(6)) / 1000000
UNION ALL
-- Each member of a replication group applies what the others write, whoever writes too: of such a one read_only alone tells.
SELECT 'role', IF(@@global.read_only OR (EXISTS (
    SELECT 1
    FROM performance_schema.processlist AS p
    WHERE p.user = 'system user' AND p.command IN ('Connect', 'Query')
) AND NOT EXISTS (
    SELECT 1
    FROM performance_schema.processlist AS p
    WHERE p.command = 'Connect' AND p.info = 'Group replication applier module'
)), 'replica', 'primary')
UNION ALL
SELECT 'performance_schema', IF(@@global.performance_schema, 'ON', 'OFF')
UNION ALL
SELECT 'log_bin', IF(@@global.log_bin, 'ON', 'OFF')
