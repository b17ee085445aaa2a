-- Scenario 03. The rows of the restored table take the place of the damaged ones, in one transaction. The table itself
-- stays: views, grants, triggers and whoever refers to it need not know. Foreign keys to and from it are taken off and
-- put back: putting them back proves every reference.

-- name: hand_out
-- In the database beside it: a file that only the server reads. drill.file names it.
DO $out$
DECLARE
    source text := format('%I.%I', current_setting('drill.schema'), current_setting('drill.table'));
    columns text;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute
    WHERE attrelid = source::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    EXECUTE format('COPY %s (%s) TO %L (FORMAT binary)', source, columns, current_setting('drill.file'));
END
$out$;

-- name: swap
DO $swap$
DECLARE
    target text := format('%I.%I', current_setting('drill.schema'), current_setting('drill.table'));
    columns text;
    one record;
BEGIN
    SET LOCAL lock_timeout = '60s';
    SET LOCAL session_replication_role = replica;  -- the application's triggers ran when the rows were first written
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
    CREATE TEMPORARY TABLE drill_references ON COMMIT DROP AS
        SELECT conrelid::regclass::text AS owner, conname, pg_get_constraintdef(oid) AS definition,
               obj_description(oid, 'pg_constraint') AS comment
        FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0 AND target::regclass IN (conrelid, confrelid);
    FOR one IN SELECT * FROM drill_references LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.owner, one.conname);
    END LOOP;
    EXECUTE format('TRUNCATE TABLE ONLY %s', target);
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute
    WHERE attrelid = target::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    EXECUTE format('COPY %s (%s) FROM %L (FORMAT binary)', target, columns, current_setting('drill.file'));
    SET LOCAL session_replication_role = origin;
    FOR one IN SELECT * FROM drill_references LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', one.owner, one.conname, one.definition);
        IF one.comment IS NOT NULL THEN
            EXECUTE format('COMMENT ON CONSTRAINT %I ON %s IS %L', one.conname, one.owner, one.comment);
        END IF;
    END LOOP;
END
$swap$;
