/* ---
description: What a dump asks of each view then.
timeout: 5s
--- */
SHOW FIELDS FROM {view}
