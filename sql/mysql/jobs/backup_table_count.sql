/* ---
description: The rows of one table.
timeout: 600s
--- */
SELECT COUNT(*) AS counted FROM {table}
