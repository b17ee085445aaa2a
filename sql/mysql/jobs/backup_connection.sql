/* ---
description: Which session this is.
--- */
SELECT CONNECTION_ID() AS id
