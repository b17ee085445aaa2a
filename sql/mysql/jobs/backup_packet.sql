/* ---
description: The longest statement that the server takes.
timeout: 5s
--- */
SELECT @@global.max_allowed_packet AS bytes
