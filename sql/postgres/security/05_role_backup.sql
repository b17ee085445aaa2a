-- The role that takes backups. Run in each database that is dumped, as a superuser. Idempotent.
-- It reads every row and writes none: who restores with it makes it SUPERUSER on the target, and NOSUPERUSER afterwards
-- (`dbwatch restore plan` says so). Keep its password apart from that of the monitoring role.
--     SET dbwatch.backup_password = '…';
DO $role$
DECLARE
    named record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'dbwatch_backup') THEN
        CREATE ROLE dbwatch_backup NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
    -- BYPASSRLS: a policy of rows would otherwise hide some of them, and pg_dump rightly refuses.
    -- Three sessions hold and watch a dump, and pg_dump has one more than its parallel jobs.
    ALTER ROLE dbwatch_backup LOGIN BYPASSRLS CONNECTION LIMIT 20;
    -- Where none was set (in a new session, as one in another database is) the one that is there stays.
    IF nullif(current_setting('dbwatch.backup_password', true), '') IS NOT NULL THEN
        EXECUTE format('ALTER ROLE dbwatch_backup PASSWORD %L', current_setting('dbwatch.backup_password'));
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO dbwatch_backup', current_database());
    IF current_setting('server_version_num')::int >= 140000 THEN
        GRANT pg_read_all_data TO dbwatch_backup;
    ELSE
        -- 13 has no such role: each schema by itself, and what its owners will make there.
        FOR named IN
            SELECT DISTINCT n.nspname AS schema_name, r.rolname AS owner_name
            FROM pg_catalog.pg_namespace AS n
            JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
            JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
            WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        LOOP
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO dbwatch_backup', named.schema_name);
            EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO dbwatch_backup', named.schema_name);
            EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO dbwatch_backup', named.schema_name);
            EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT ON TABLES TO dbwatch_backup',
                           named.owner_name, named.schema_name);
            EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT ON SEQUENCES TO dbwatch_backup',
                           named.owner_name, named.schema_name);
        END LOOP;
    END IF;
END
$role$;

-- To see for how long the application waits for the dump, and all settings.
GRANT pg_monitor TO dbwatch_backup;

COMMENT ON ROLE dbwatch_backup IS 'Backups: reads every row (pg_read_all_data, BYPASSRLS), writes none.';

-- With pg_read_all_data it reads the hashes of passwords too (pg_authid), so that roles are restored with them: guard it
-- like a superuser's. On 13, without them everybody needs a new password after a restore. To keep them there, in the
-- database that dbwatch logs in to: GRANT SELECT ON pg_catalog.pg_authid TO dbwatch_backup;
-- What this does not give, and a superuser has:
--   large objects of others: pg_read_all_data does not cover them, and one that may not be read ends the dump of its database.
--   Grant them in each database that has some, and again when there are new ones:
--     DO $grant$DECLARE l oid; BEGIN FOR l IN SELECT oid FROM pg_largeobject_metadata LOOP
--     EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO dbwatch_backup', l); END LOOP; END$grant$;
--   Or once and for all, though it may then write them too: ALTER ROLE dbwatch_backup SET lo_compat_privileges = on;
--   Or, from 18 on, for each role that makes some in this database (and the loop above for those that are there):
--     ALTER DEFAULT PRIVILEGES FOR ROLE … GRANT SELECT ON LARGE OBJECTS TO dbwatch_backup;
--   subscriptions and the secrets of user mappings. They are left out of the dump.
