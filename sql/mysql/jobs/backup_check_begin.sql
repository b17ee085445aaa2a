/* ---
description: "Before tables of a throw-away server are checked: to check one of MERGE is to write, for the server."
--- */
SET SESSION TRANSACTION READ WRITE
