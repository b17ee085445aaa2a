/* ---
description: "Where the session goes back to after each table: it then holds no lock on it any more."
--- */
SAVEPOINT dbwatch_table
