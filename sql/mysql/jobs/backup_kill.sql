/* ---
description: Ends a session of our own account.
timeout: 5s
--- */
KILL {id}
