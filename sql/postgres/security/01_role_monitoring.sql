-- The monitoring role: what dbwatch needs, and nothing more. Run once per server, as a superuser. Idempotent.
-- It reads statistics, never a table of yours.
--     SET dbwatch.monitoring_password = '…';
DO $role$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'dbwatch') THEN
        CREATE ROLE dbwatch NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
    ALTER ROLE dbwatch LOGIN CONNECTION LIMIT 6;
    -- Where none was set (in a new session, as one in another database is) the one that is there stays.
    IF nullif(current_setting('dbwatch.monitoring_password', true), '') IS NOT NULL THEN
        EXECUTE format('ALTER ROLE dbwatch PASSWORD %L', current_setting('dbwatch.monitoring_password'));
    END IF;
END
$role$;

GRANT pg_monitor TO dbwatch;

-- Optional, in the database that dbwatch logs in to: it then tells of lines in postgresql.conf and pg_hba.conf that the
-- server cannot use.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_show_all_file_settings() TO dbwatch;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO dbwatch;

COMMENT ON ROLE dbwatch IS 'Monitoring: statistics only (pg_monitor), six connections at most.';
