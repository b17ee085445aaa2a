/* ---
description: Sessions of backups, ours and what earlier ones left behind, by what stands before the last slash of our name.
timeout: 5s
--- */
SELECT a.pid, a.application_name AS application
FROM pg_stat_activity AS a
WHERE starts_with(a.application_name, regexp_replace(current_setting('application_name'), '[^/]*$', ''))
  AND a.pid <> pg_backend_pid()
