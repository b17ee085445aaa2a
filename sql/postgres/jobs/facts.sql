/* ---
description: Who the server is and which role it plays now.
timeout: 1s
--- */
SELECT f.name, f.value
FROM pg_control_system() AS s
CROSS JOIN LATERAL (
    VALUES ('version', current_setting('server_version')),
           ('account', quote_ident(current_user::text)),
           -- For a comment in a statement that somebody pastes: no name may end it.
           ('database', translate(current_database(), '*', '?')),
           ('role', CASE WHEN pg_is_in_recovery() THEN 'replica' ELSE 'primary' END),
           ('started_at', extract(epoch FROM pg_postmaster_start_time())::text),
           ('logging_collector', current_setting('logging_collector')),
           ('system_identifier', s.system_identifier::text),
           ('clock', extract(epoch FROM clock_timestamp())::text)
) AS f (name, value)
UNION ALL
SELECT 'extension ' || e.extname, e.extversion
FROM pg_extension AS e
UNION ALL
-- Where its functions stand, if not in the schema public: our sessions search no schema but pg_catalog.
SELECT 'schema ' || e.extname, quote_ident(n.nspname)
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'public')
UNION ALL
-- A database that is no longer among them ends at once on every page.
SELECT 'database ' || d.datname, ''
FROM pg_database AS d
