/* ---
description: Lets go of the table that was read, and keeps the snapshot.
--- */
ROLLBACK TO SAVEPOINT dbwatch_table
