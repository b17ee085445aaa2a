/* ---
description: How much of the numbers of each sequence, or of the column it fills, is used up.
scope: database
role: primary
interval: 15m
timeout: 20s
max_series: 500
top: {key: [schema_name, table_name, column_name], weight: used, limit: 20}
metrics:
  dbwatch_key_exhaustion_ratio:
    {value: used, labels: {database: database, schema: schema_name, table: table_name, column: column_name}}
--- */
-- The end is that of the sequence or of the column's type, whichever comes first. A sequence that no column uses stands as
-- a table without a column. One that cycles never ends, unless its column does before. One never used has no value.
-- To read a sequence opens it: before version 18 it stays locked (RowExclusiveLock) until the query ends.
-- The 500 that are the fullest by the rows of their tables are read, and none that is being altered.
-- @when probe sequences and postgres >= 18
WITH changing AS MATERIALIZED (
    SELECT l.relation
    FROM pg_locks AS l
    JOIN pg_database AS d ON d.oid = l.database
    WHERE d.datname = current_database()
      AND l.locktype = 'relation'
      AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
),
uses AS (
    SELECT d.objid AS sequence_oid, d.refobjid AS table_oid, d.refobjsubid AS column_number
    FROM pg_sequence AS s
    JOIN pg_depend AS d ON d.objid = s.seqrelid
    WHERE d.classid = 'pg_class'::regclass
      AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i')
      AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, f.adrelid, f.adnum
    FROM pg_depend AS d
    JOIN pg_attrdef AS f ON f.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass
      AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid <> f.adrelid
),
typed AS (
    SELECT s.seqrelid, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle, u.table_oid, u.column_number, l.least_value,
           l.most_value, least(s.seqmax, l.most_value) AS highest, greatest(s.seqmin, l.least_value) AS lowest
    FROM pg_sequence AS s
    LEFT JOIN uses AS u ON u.sequence_oid = s.seqrelid
    -- (By its index for each; a join would read the columns of all tables.)
    LEFT JOIN pg_type AS t ON t.oid = (SELECT a.atttypid
                                       FROM pg_attribute AS a
                                       WHERE a.attrelid = u.table_oid AND a.attnum = u.column_number)
    -- (A domain is taken as what it is of.)
    LEFT JOIN (VALUES ('int2'::regtype::oid, -32768::bigint, 32767::bigint),
                      ('int4'::regtype::oid, -2147483648, 2147483647)) AS l (type_oid, least_value, most_value)
           ON l.type_oid = coalesce(nullif(t.typbasetype, 0), t.oid)
),
chosen AS (
    SELECT y.seqrelid
    FROM typed AS y
    LEFT JOIN pg_class AS c ON c.oid = y.table_oid
    WHERE has_sequence_privilege(y.seqrelid, 'SELECT')
      AND y.seqrelid NOT IN (SELECT g.relation FROM changing AS g)
    GROUP BY y.seqrelid
    ORDER BY max(greatest(c.reltuples, pg_stat_get_tuples_inserted(c.oid))
                 / greatest(y.highest::float8 - y.lowest, 1)) DESC NULLS LAST
    LIMIT 500
),
counted AS MATERIALIZED (
    SELECT h.seqrelid, CASE WHEN d.is_called THEN d.last_value END AS last_value
    FROM chosen AS h
    CROSS JOIN LATERAL pg_get_sequence_data(h.seqrelid::regclass) AS d
),
used AS (
    SELECT n.nspname AS schema_name, coalesce(c.relname, o.relname) AS table_name, coalesce(a.attname, '') AS column_name,
           max(CASE WHEN y.seqincrement > 0 AND y.seqmin >= 0 THEN v.last_value::float8 / y.highest
                    WHEN y.seqincrement > 0 THEN (v.last_value::float8 - y.lowest) / (y.highest::float8 - y.lowest)
                    WHEN y.seqmax <= 0 THEN v.last_value::float8 / y.lowest
                    ELSE (y.highest::float8 - v.last_value) / (y.highest::float8 - y.lowest) END) AS used
    FROM counted AS v
    JOIN typed AS y ON y.seqrelid = v.seqrelid
    JOIN pg_class AS o ON o.oid = y.seqrelid
    LEFT JOIN pg_class AS c ON c.oid = y.table_oid
    LEFT JOIN pg_attribute AS a ON a.attrelid = y.table_oid AND a.attnum = y.column_number
    JOIN pg_namespace AS n ON n.oid = coalesce(c.relnamespace, o.relnamespace)
    WHERE v.last_value IS NOT NULL
      AND o.relpersistence <> 't'
      AND (NOT y.seqcycle OR y.seqmax > y.most_value OR y.seqmin < y.least_value)
    GROUP BY n.nspname, coalesce(c.relname, o.relname), coalesce(a.attname, '')
)
SELECT u.schema_name, u.table_name, u.column_name, u.used
FROM used AS u
ORDER BY u.used DESC, u.schema_name, u.table_name, u.column_name
LIMIT 200
-- @when probe sequences and postgres < 18
WITH changing AS MATERIALIZED (
    SELECT l.relation
    FROM pg_locks AS l
    JOIN pg_database AS d ON d.oid = l.database
    WHERE d.datname = current_database()
      AND l.locktype = 'relation'
      AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
),
uses AS (
    SELECT d.objid AS sequence_oid, d.refobjid AS table_oid, d.refobjsubid AS column_number
    FROM pg_sequence AS s
    JOIN pg_depend AS d ON d.objid = s.seqrelid
    WHERE d.classid = 'pg_class'::regclass
      AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i')
      AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, f.adrelid, f.adnum
    FROM pg_depend AS d
    JOIN pg_attrdef AS f ON f.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass
      AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid <> f.adrelid
),
typed AS (
    SELECT s.seqrelid, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle, u.table_oid, u.column_number, l.least_value,
           l.most_value, least(s.seqmax, l.most_value) AS highest, greatest(s.seqmin, l.least_value) AS lowest
    FROM pg_sequence AS s
    LEFT JOIN uses AS u ON u.sequence_oid = s.seqrelid
    -- (By its index for each; a join would read the columns of all tables.)
    LEFT JOIN pg_type AS t ON t.oid = (SELECT a.atttypid
                                       FROM pg_attribute AS a
                                       WHERE a.attrelid = u.table_oid AND a.attnum = u.column_number)
    -- (A domain is taken as what it is of.)
    LEFT JOIN (VALUES ('int2'::regtype::oid, -32768::bigint, 32767::bigint),
                      ('int4'::regtype::oid, -2147483648, 2147483647)) AS l (type_oid, least_value, most_value)
           ON l.type_oid = coalesce(nullif(t.typbasetype, 0), t.oid)
),
chosen AS (
    SELECT y.seqrelid
    FROM typed AS y
    LEFT JOIN pg_class AS c ON c.oid = y.table_oid
    WHERE has_sequence_privilege(y.seqrelid, 'SELECT')
      AND y.seqrelid NOT IN (SELECT g.relation FROM changing AS g)
    GROUP BY y.seqrelid
    ORDER BY max(greatest(c.reltuples, pg_stat_get_tuples_inserted(c.oid))
                 / greatest(y.highest::float8 - y.lowest, 1)) DESC NULLS LAST
    LIMIT 500
),
counted AS MATERIALIZED (
    SELECT h.seqrelid, pg_sequence_last_value(h.seqrelid::regclass) AS last_value
    FROM chosen AS h
),
used AS (
    SELECT n.nspname AS schema_name, coalesce(c.relname, o.relname) AS table_name, coalesce(a.attname, '') AS column_name,
           max(CASE WHEN y.seqincrement > 0 AND y.seqmin >= 0 THEN v.last_value::float8 / y.highest
                    WHEN y.seqincrement > 0 THEN (v.last_value::float8 - y.lowest) / (y.highest::float8 - y.lowest)
                    WHEN y.seqmax <= 0 THEN v.last_value::float8 / y.lowest
                    ELSE (y.highest::float8 - v.last_value) / (y.highest::float8 - y.lowest) END) AS used
    FROM counted AS v
    JOIN typed AS y ON y.seqrelid = v.seqrelid
    JOIN pg_class AS o ON o.oid = y.seqrelid
    LEFT JOIN pg_class AS c ON c.oid = y.table_oid
    LEFT JOIN pg_attribute AS a ON a.attrelid = y.table_oid AND a.attnum = y.column_number
    JOIN pg_namespace AS n ON n.oid = coalesce(c.relnamespace, o.relnamespace)
    WHERE v.last_value IS NOT NULL
      AND o.relpersistence <> 't'
      AND (NOT y.seqcycle OR y.seqmax > y.most_value OR y.seqmin < y.least_value)
    GROUP BY n.nspname, coalesce(c.relname, o.relname), coalesce(a.attname, '')
)
SELECT u.schema_name, u.table_name, u.column_name, u.used
FROM used AS u
ORDER BY u.used DESC, u.schema_name, u.table_name, u.column_name
LIMIT 200
