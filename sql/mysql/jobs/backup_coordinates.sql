/* ---
description: Where the binary log is now. No row where there is none.
timeout: 5s
--- */
-- @when mariadb
SHOW MASTER STATUS
-- @when mysql >= 8.2
SHOW BINARY LOG STATUS
-- @when mysql < 8.2
SHOW MASTER STATUS
