-- What the whole town hall shares: districts, departments, reasons for an appointment, counters.
-- Run in the database, as a superuser, after 00_*. Every file of this directory may be run again.

-- Who may enter: nobody unless named here. The monitoring role enters every database, to read its statistics.
DO $database$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO marseille_app, marseille_reporting', current_database());
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'dbwatch') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO dbwatch', current_database());
    END IF;
    EXECUTE format('COMMENT ON DATABASE %I IS %L', current_database(),
                   'Ville de Marseille, demonstration: generated data, no real person.');
    -- Instants are stored as instants; only what is shown to a person is in the town's time.
    EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Europe/Paris');
END
$database$;

-- Before PostgreSQL 15 anyone could create objects in public, and shadow ours.
REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA IF NOT EXISTS referentiel AUTHORIZATION marseille_owner;
COMMENT ON SCHEMA referentiel IS 'Reference data shared by all departments: slow to change, read by all, written by migrations.';

GRANT USAGE ON SCHEMA referentiel TO marseille_app;

-- Whatever a later migration adds is readable as well, without anyone having to think of it.
ALTER DEFAULT PRIVILEGES FOR ROLE marseille_owner IN SCHEMA referentiel GRANT SELECT ON TABLES TO marseille_app;
