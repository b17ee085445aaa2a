/* ---
description: "How the client writes accounts down: hashes with bytes that no text can hold as hexadecimal."
--- */
-- @when mariadb
SET @dbwatch_accounts = 1
-- @when not mariadb
SET SESSION print_identified_with_as_hex = 1
