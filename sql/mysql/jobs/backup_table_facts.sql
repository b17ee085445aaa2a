/* ---
description: The rows of one table and a hash of their content, computed by the server.
timeout: 600s
--- */
-- A sum of 64 bits of a hash of each row: the order does not count, a row that is there twice does. A change by accident
-- goes unseen once in 2^64; it is no proof against somebody who looks for a collision.
-- `changing`: rows that a dump changes, as the question for columns tells.
-- MySQL has MD5, which is the faster one, no longer (9.6).
-- @when mariadb
SELECT COUNT(*) AS counted,
       COALESCE(SUM(CAST(CONV(LEFT(MD5(CONCAT_WS(',', {expression})), 16), 16, 10) AS UNSIGNED)), 0) AS digest,
       COUNT(CASE WHEN {changing} THEN 1 END) AS changing
FROM {table}
-- @when not mariadb
SELECT COUNT(*) AS counted,
       COALESCE(SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS(',', {expression}), 256), 16), 16, 10) AS UNSIGNED)), 0) AS digest,
       COUNT(CASE WHEN {changing} THEN 1 END) AS changing
FROM {table}
