/* ---
description: Which server this is, and who we are to it.
timeout: 5s
--- */
-- Threads of replication are seen with PROCESS.
-- MariaDB has no identifier of its own in all versions: where it runs and keeps its data, as a hash.
-- @when mariadb
SELECT 'version' AS name, @@global.version AS value
UNION ALL
SELECT 'version_comment', @@global.version_comment
UNION ALL
SELECT 'identifier', SHA1(CONCAT_WS('/', @@global.hostname, @@global.port, @@global.datadir, @@global.server_id))
UNION ALL
SELECT 'log_bin', IF(@@global.log_bin, 'ON', 'OFF')
UNION ALL
SELECT 'read_only', IF(@@global.read_only NOT IN ('0', 'OFF'), 'ON', 'OFF')
UNION ALL
SELECT 'replicates', IF(EXISTS (
    SELECT 1
    FROM information_schema.processlist AS p
    WHERE p.user = 'system user' AND p.command IN ('Slave_IO', 'Slave_SQL', 'Connect')
), 'ON', 'OFF')
UNION ALL
SELECT 'account', CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', CHAR_LENGTH(CURRENT_USER())
                                               - CHAR_LENGTH(REPLACE(CURRENT_USER(), '@', '')))),
                         '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))
-- @when not mariadb
SELECT 'version' AS name, @@global.version AS value
UNION ALL
SELECT 'version_comment', @@global.version_comment
UNION ALL
SELECT 'identifier', @@global.server_uuid
UNION ALL
SELECT 'log_bin', IF(@@global.log_bin, 'ON', 'OFF')
UNION ALL
SELECT 'read_only', IF(@@global.read_only, 'ON', 'OFF')
UNION ALL
-- Its threads are those of group replication too, of which a primary may be written to: backup_follows tells.
SELECT 'replicates', 'OFF'
UNION ALL
SELECT 'account', CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', CHAR_LENGTH(CURRENT_USER())
                                               - CHAR_LENGTH(REPLACE(CURRENT_USER(), '@', '')))),
                         '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))
