/* ---
description: The server-side limit of the statements that follow, sent when it differs from the last one.
--- */
-- {seconds} and {milliseconds} are filled in by the session.
-- MySQL's limit is for SELECT only; the SHOWs that we ask of it are bounded by our own deadline.
-- @when mariadb
SET SESSION max_statement_time = {seconds}
-- @when not mariadb
SET SESSION max_execution_time = {milliseconds}
