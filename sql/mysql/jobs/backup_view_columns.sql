/* ---
description: What a dump asks of each view.
timeout: 5s
--- */
SHOW FIELDS FROM {view}
