/* ---
description: The sources that this server is a replica of, whether it follows them just now or not.
timeout: 5s
--- */
-- @when mariadb
SHOW ALL SLAVES STATUS
-- @when not mariadb
SHOW REPLICA STATUS
