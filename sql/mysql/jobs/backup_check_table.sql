/* ---
description: Has the server look at every page of a table.
timeout: 3600s
--- */
CHECK TABLE {table}
