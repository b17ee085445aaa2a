/* ---
description: Ends all sessions of our dump of this database but this one, so that nobody waits for their locks any more.
timeout: 5s
--- */
SELECT count(pg_terminate_backend(a.pid)) AS sessions
FROM pg_stat_activity AS a
WHERE a.application_name = current_setting('application_name')
  AND a.datname = current_database()
  AND a.usename = current_user
  AND a.pid <> pg_backend_pid()
