/* ---
description: What a dump asks of each view first.
timeout: 5s
--- */
SHOW CREATE TABLE {view}
