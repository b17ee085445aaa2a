-- Scenario 03. What is looked at is named by the settings drill.schema and drill.table of the session.

-- name: place
-- Where the table's pages lie, relative to the data directory; how many of them there are in its first file.
SELECT pg_relation_filepath(c.oid),
       least(pg_relation_size(c.oid), 1073741824) / current_setting('block_size')::bigint,
       current_setting('block_size')::bigint,
       current_setting('data_checksums')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = current_setting('drill.schema') AND c.relname = current_setting('drill.table') AND c.relkind = 'r';

-- name: largest
-- Without a wish: the largest table that has a row.
SELECT n.nspname, c.relname
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND pg_relation_size(c.oid) > 0
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
ORDER BY n.nspname = 'metier' AND c.relname = 'demande_rdv' DESC, pg_relation_size(c.oid) DESC
LIMIT 1;

-- name: flush
CHECKPOINT;

-- name: read_all
-- Every table to its end, long values included: what cannot be read is remembered, and the next one is tried.
DO $read$
DECLARE
    one record;
    ignored bigint;
BEGIN
    CREATE TEMPORARY TABLE drill_read (schema_name name, table_name name, problem text) ON COMMIT PRESERVE ROWS;
    FOR one IN
        SELECT n.nspname, c.relname
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm')
          AND c.relispopulated  -- a materialized view that nobody has filled is not corrupt
          AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND n.nspname !~ '^pg_'
    LOOP
        BEGIN
            EXECUTE format('SELECT count(t::text) FROM ONLY %I.%I AS t', one.nspname, one.relname) INTO ignored;
            INSERT INTO drill_read VALUES (one.nspname, one.relname, NULL);
        EXCEPTION WHEN data_corrupted OR index_corrupted OR internal_error THEN
            INSERT INTO drill_read VALUES (one.nspname, one.relname, SQLSTATE);
        END;
    END LOOP;
END
$read$;

-- name: unreadable
SELECT schema_name, table_name FROM drill_read WHERE problem IS NOT NULL ORDER BY 1, 2;

-- name: readable
SELECT count(*) FROM drill_read WHERE problem IS NULL;

-- name: checksum_failures
SELECT coalesce(sum(checksum_failures), 0)::bigint FROM pg_stat_database WHERE datname = current_database();

-- name: read_pages
-- Which pages of the table: one after the other, so that one bad page does not hide the next.
DO $pages$
DECLARE
    target regclass := format('%I.%I', current_setting('drill.schema'), current_setting('drill.table'))::regclass;
    block bigint;
    ignored bigint;
BEGIN
    CREATE TEMPORARY TABLE drill_pages (block bigint) ON COMMIT PRESERVE ROWS;
    FOR block IN SELECT generate_series(0, pg_relation_size(target) / current_setting('block_size')::bigint - 1) LOOP
        BEGIN
            EXECUTE format('SELECT count(*) FROM ONLY %s WHERE ctid = ANY (ARRAY[%L::tid])', target, format('(%s,1)', block))
            INTO ignored;
        EXCEPTION WHEN data_corrupted OR internal_error THEN
            INSERT INTO drill_pages VALUES (block);
        END;
    END LOOP;
END
$pages$;

-- name: bad_pages
SELECT count(*) FROM drill_pages;
