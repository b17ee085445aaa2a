/* ---
description: Holds back all writes of the server for a moment; the wait for it is bounded by lock_wait_timeout.
timeout: 10s
--- */
FLUSH TABLES WITH READ LOCK
