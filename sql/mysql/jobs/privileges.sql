/* ---
description: Our own grants. A server settles a session's rights at its login; when they change, ours log in again.
--- */
-- Needs no privilege. The text is compared, and neither kept nor shown: MariaDB puts the password's hash into it.
SHOW GRANTS
