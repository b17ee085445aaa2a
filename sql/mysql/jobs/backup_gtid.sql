/* ---
description: Which transactions are in the binary log, by their global identifiers.
timeout: 5s
--- */
-- @when mariadb
SELECT @@global.gtid_binlog_pos AS gtid
-- @when not mariadb
SELECT @@global.gtid_executed AS gtid
