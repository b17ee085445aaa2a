-- {told} as it was on {moment} is in the database {into} of {address}, with its indexes, checks, triggers and grants.
-- Nothing of {database} was touched.{foreign_keys}
-- To bring rows back, in a psql on the server of {database}, as the table's owner or a superuser; the copy is read from
-- {address}, which may ask for the password, twice. All lost rows come back as they were, and none of the table's own
-- triggers fires; or an ERROR says why not, and nothing is written.
-- {keys}

\connect {connect}
\set ON_ERROR_STOP on
\set ON_ERROR_ROLLBACK off
BEGIN;
SET LOCAL standard_conforming_strings = on;
SET LOCAL datestyle = 'ISO';
SET LOCAL intervalstyle = postgres;
SET LOCAL lc_monetary = 'C';
SET LOCAL xmloption = content;
SET LOCAL row_security = off;
SET LOCAL lock_timeout = '10s';
CREATE TEMPORARY TABLE dbwatch_restored ON COMMIT DROP AS SELECT {columns} FROM {source} WITH NO DATA;
CREATE TEMPORARY TABLE dbwatch_counted (row_count bigint) ON COMMIT DROP;
\copy pg_temp.dbwatch_restored ({columns}) FROM PROGRAM {reader} WITH (ENCODING 'UTF8')
\copy pg_temp.dbwatch_counted FROM PROGRAM {counter}
DO $dbwatch$
#variable_conflict use_column
DECLARE
    dbwatch_target CONSTANT regclass := {source_text};
    dbwatch_told text;
    dbwatch_count bigint;
    dbwatch_one record;
    dbwatch_triggers CONSTANT jsonb := COALESCE(
        (SELECT jsonb_agg(jsonb_build_array(g.tgrelid::regclass::text, g.tgname, g.tgenabled) ORDER BY p.level NULLS FIRST)
         FROM pg_trigger AS g
         LEFT JOIN pg_partition_tree({source_text}) AS p ON p.relid = g.tgrelid
         WHERE (g.tgrelid = {source_text}::regclass OR p.relid IS NOT NULL)
           AND NOT g.tgisinternal AND g.tgtype & 4 <> 0), '[]');
BEGIN
    IF current_database() <> {database_text} THEN
        RAISE EXCEPTION 'this is the database %, not the one of the table: connect to it, and paste again', current_database();
    END IF;
    IF current_setting('session_replication_role') <> 'origin' THEN
        RAISE EXCEPTION 'session_replication_role of this session keeps foreign keys from being proven: set it to origin, and paste again';
    END IF;
    LOCK TABLE {source} IN SHARE ROW EXCLUSIVE MODE;
    IF (SELECT sum(row_count) FROM pg_temp.dbwatch_counted) IS DISTINCT FROM (SELECT count(*) FROM pg_temp.dbwatch_restored) THEN
        RAISE EXCEPTION 'the copy was not read to its end: mend what psql said above, and paste again';
    END IF;
    IF (SELECT relkind <> {relkind} FROM pg_class WHERE oid = dbwatch_target) THEN
        RAISE EXCEPTION '% is another kind of table than the copy: take the rows from the copy yourself', dbwatch_target;
    END IF;
    SELECT string_agg(w.name, ', ') INTO dbwatch_told
    FROM (VALUES {types}) AS w (name, type)
    WHERE NOT EXISTS (SELECT
                      FROM pg_attribute AS a
                      JOIN pg_type AS t ON t.oid = a.atttypid
                      JOIN pg_namespace AS n ON n.oid = t.typnamespace
                      WHERE a.attrelid = dbwatch_target
                        AND quote_ident(a.attname) = w.name
                        AND concat(n.nspname, '.', t.typname, ':', a.atttypmod) = w.type);
    IF dbwatch_told IS NOT NULL THEN
        RAISE EXCEPTION '% has other types than the copy in %: take the rows from the copy yourself', dbwatch_target, dbwatch_told;
    END IF;
    SELECT string_agg(quote_ident(rulename), ', ') INTO dbwatch_told
    FROM pg_rewrite
    WHERE ev_class = dbwatch_target AND ev_type = '3' AND ev_enabled <> 'D';
    IF dbwatch_told IS NOT NULL THEN
        RAISE EXCEPTION 'rules of % would change what is inserted (%): ALTER TABLE ... DISABLE RULE, and paste again', dbwatch_target, dbwatch_told;
    END IF;

    SET CONSTRAINTS ALL IMMEDIATE;
    FOR dbwatch_one IN SELECT t.value FROM jsonb_array_elements(dbwatch_triggers) AS t LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', dbwatch_one.value ->> 0, dbwatch_one.value ->> 1);
    END LOOP;
{insert}
    GET DIAGNOSTICS dbwatch_count = ROW_COUNT;
    FOR dbwatch_one IN SELECT t.value FROM jsonb_array_elements(dbwatch_triggers) AS t LOOP
        EXECUTE format('ALTER TABLE %s %s TRIGGER %I', dbwatch_one.value ->> 0,
                       CASE dbwatch_one.value ->> 2
                           WHEN 'D' THEN 'DISABLE'
                           WHEN 'A' THEN 'ENABLE ALWAYS'
                           WHEN 'R' THEN 'ENABLE REPLICA'
                           ELSE 'ENABLE'
                       END,
                       dbwatch_one.value ->> 1);
    END LOOP;
    RAISE NOTICE '% rows came back to %', dbwatch_count, dbwatch_target;
END
$dbwatch$;
COMMIT;

-- Done: from another database: DROP DATABASE {into};
-- The whole table in the place of a damaged one: docs/scenarios_pra/03_corruption_table_demande_rdv.md
