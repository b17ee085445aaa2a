-- Optional: how far the sequences have come, before a key runs out. Run in each database, as a superuser or as the owner
-- of the sequences. Idempotent. A sequence holds a counter, never a person's data; no table becomes readable by this.
DO $sequences$
DECLARE
    named record;
BEGIN
    FOR named IN
        SELECT DISTINCT n.nspname AS schema_name, r.rolname AS owner_name
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
        WHERE c.relkind = 'S'
          AND c.relpersistence <> 't'
          AND pg_catalog.pg_has_role(r.oid, 'MEMBER')
    LOOP
        EXECUTE pg_catalog.format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO dbwatch', named.schema_name);
        -- And those that the same owners will make there.
        EXECUTE pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT ON SEQUENCES TO dbwatch',
                                  named.owner_name, named.schema_name);
    END LOOP;
END
$sequences$;
