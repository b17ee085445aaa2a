/* ---
description: Lets writes go on.
timeout: 5s
--- */
UNLOCK TABLES
