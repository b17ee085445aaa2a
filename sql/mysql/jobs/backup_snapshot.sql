/* ---
description: From here on this session sees one moment.
timeout: 10s
--- */
START TRANSACTION WITH CONSISTENT SNAPSHOT
