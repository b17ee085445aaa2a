-- Roles of the application: one that owns, one that writes, one that reads figures. Run once per server, as a
-- superuser, before the databases exist. Idempotent.
--
-- Passwords come from the session, never from this file:
--     SET dbwatch.application_password = '…';  SET dbwatch.reporting_password = '…';
-- A role whose password was not given is created all the same, and keeps the one that it has.
DO $roles$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['marseille_owner', 'marseille_app', 'marseille_reporting'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', role_name);
        END IF;
    END LOOP;
    ALTER ROLE marseille_app LOGIN CONNECTION LIMIT 30;
    ALTER ROLE marseille_reporting LOGIN CONNECTION LIMIT 5;
    IF nullif(current_setting('dbwatch.application_password', true), '') IS NOT NULL THEN
        EXECUTE format('ALTER ROLE marseille_app PASSWORD %L', current_setting('dbwatch.application_password'));
    END IF;
    IF nullif(current_setting('dbwatch.reporting_password', true), '') IS NOT NULL THEN
        EXECUTE format('ALTER ROLE marseille_reporting PASSWORD %L', current_setting('dbwatch.reporting_password'));
    END IF;
END
$roles$;

-- The owner holds the objects and never logs in: a leaked application password cannot change the schema.
ALTER ROLE marseille_owner NOLOGIN;

ALTER ROLE marseille_app SET lock_timeout = '30s';
ALTER ROLE marseille_app SET idle_in_transaction_session_timeout = '5min';
ALTER ROLE marseille_reporting SET default_transaction_read_only = on;
ALTER ROLE marseille_reporting SET statement_timeout = '2min';

COMMENT ON ROLE marseille_owner IS 'Owns the databases and their objects; never logs in.';
COMMENT ON ROLE marseille_app IS 'The counters and the portal: reads and writes citizens'' files, changes no structure.';
COMMENT ON ROLE marseille_reporting IS 'Reads the aggregated views of schema reporting, and nothing that names a person.';
