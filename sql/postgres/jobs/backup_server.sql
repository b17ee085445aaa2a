/* ---
description: What a backup must know of the server and of the account that takes it.
timeout: 5s
--- */
SELECT current_setting('server_version') AS version_text,
       s.system_identifier::text AS system_identifier,
       pg_is_in_recovery() AS is_standby,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS lsn,
       current_setting('hot_standby_feedback') = 'on' AS has_feedback,
       quote_ident(current_user::text) AS account,
       (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user) AS is_superuser,
       -- With a superuser that initdb made every cluster begins: no dump creates it again.
       (SELECT r.rolname::text FROM pg_roles AS r WHERE r.oid = 10) AS first_superuser,
       has_table_privilege('pg_authid', 'SELECT') AS reads_passwords,
       (SELECT count(*) FROM pg_tablespace AS t WHERE t.spcname NOT IN ('pg_default', 'pg_global')) AS tablespaces,
       -- Templates and what refuses connections too: each of these names is taken.
       (SELECT array_agg(d.datname::text) FROM pg_database AS d) AS database_names
FROM pg_control_system() AS s
