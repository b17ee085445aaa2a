/* ---
description: Indexes that are the same as another one of their table, or the beginning of it, and what they take.
scope: database
role: primary
interval: 1h
timeout: 20s
max_series: 500
top: {key: [schema_name, table_name, index_name, duplicate_of, prefix_of], weight: bytes, limit: 20}
metrics:
  dbwatch_index_duplicate_bytes:
    value: duplicate_bytes
    labels: {database: database, schema: schema_name, table: table_name, index: index_name, duplicate_of: duplicate_of}
  dbwatch_index_redundant_bytes:
    value: prefix_bytes
    labels: {database: database, schema: schema_name, table: table_name, index: index_name, prefix_of: prefix_of}
--- */
-- The same columns, expressions, order, collations, operator classes and predicate by the same method. The one to keep is
-- the primary key, else a unique one, else the replica identity, else the oldest; of two unique ones each might carry a
-- constraint. (Where an expression stood in its CREATE INDEX is no difference.)
-- A beginning: a btree of plain columns that are the first ones of another btree, and that guards nothing itself. Of
-- several such others the longest is named, else the oldest. What is the same as another one is not told as well.
WITH begun AS (
    -- (Cheap: what has the same first column, then of these the same columns. Few do, and the rest is compared of them.)
    SELECT x.indexrelid, x.indrelid, x.indkey::text AS columns,
           count(*) OVER (PARTITION BY x.indrelid, x.indkey[0]) AS many
    FROM pg_index AS x
    WHERE x.indrelid >= 16384
      AND x.indisvalid
      AND x.indisready
      AND NOT x.indisexclusion
),
alike AS MATERIALIZED (
    SELECT b.indexrelid, count(*) OVER (PARTITION BY b.indrelid, b.columns) AS many
    FROM begun AS b
    WHERE b.many > 1
),
shapes AS (
    SELECT x.indrelid, x.indexrelid, x.indisprimary, x.indisunique, x.indisreplident,
           concat_ws('/', x.indkey, x.indnkeyatts, x.indclass, x.indoption, x.indcollation,
                     regexp_replace(coalesce(x.indexprs::text, '-'), ':location -?\d+', '', 'g'),
                     regexp_replace(coalesce(x.indpred::text, '-'), ':location -?\d+', '', 'g')) AS shape
    FROM alike AS a
    JOIN pg_index AS x ON x.indexrelid = a.indexrelid
    WHERE a.many > 1
),
twins AS MATERIALIZED (
    SELECT s.indrelid, s.indexrelid,
           first_value(s.indexrelid) OVER same AS kept
    FROM shapes AS s
    JOIN pg_class AS c ON c.oid = s.indexrelid AND c.relkind = 'i'
    WINDOW same AS (PARTITION BY s.indrelid, c.relam, s.shape
                    ORDER BY s.indisprimary DESC, s.indisunique DESC, s.indisreplident DESC, s.indexrelid)
),
btrees AS MATERIALIZED (
    SELECT x.indrelid, x.indexrelid, x.indisprimary, x.indisunique, x.indisreplident, x.indnatts, x.indnkeyatts,
           NOT x.indisunique AND x.indexprs IS NULL AND x.indnatts = x.indnkeyatts AS is_plain,
           x.indkey[0] AS first_column,
           x.indkey::text || ' ' AS columns,
           x.indclass::text || ' ' AS classes,
           x.indcollation::text || ' ' AS collations,
           x.indoption::text || ' ' AS options
    FROM alike AS a
    JOIN pg_index AS x ON x.indexrelid = a.indexrelid
    JOIN pg_class AS c ON c.oid = x.indexrelid AND c.relkind = 'i'
    JOIN pg_am AS m ON m.oid = c.relam AND m.amname = 'btree'
    WHERE x.indpred IS NULL
),
beginnings AS (
    SELECT DISTINCT ON (b.indexrelid) b.indrelid, b.indexrelid, o.indexrelid AS longer
    FROM btrees AS b
    JOIN btrees AS o ON o.indrelid = b.indrelid
                    AND o.first_column = b.first_column
                    AND o.indnatts > b.indnatts
                    AND o.indnkeyatts >= b.indnkeyatts
                    AND starts_with(o.columns, b.columns)
                    AND starts_with(o.classes, b.classes)
                    AND starts_with(o.collations, b.collations)
                    AND starts_with(o.options, b.options)
    WHERE b.is_plain
    ORDER BY b.indexrelid, o.indnatts DESC, o.indisprimary DESC, o.indisunique DESC, o.indisreplident DESC, o.indexrelid
),
found AS (
    SELECT w.indrelid, w.indexrelid, w.kept, NULL::oid AS longer
    FROM twins AS w
    WHERE w.kept <> w.indexrelid
    UNION ALL
    SELECT b.indrelid, b.indexrelid, NULL, b.longer
    FROM beginnings AS b
    WHERE b.indexrelid NOT IN (SELECT w.indexrelid FROM twins AS w WHERE w.kept <> w.indexrelid)
)
SELECT n.nspname AS schema_name,
       t.relname AS table_name,
       c.relname AS index_name,
       k.relname AS duplicate_of,
       l.relname AS prefix_of,
       s.bytes,
       CASE WHEN f.longer IS NULL THEN s.bytes END AS duplicate_bytes,
       CASE WHEN f.longer IS NOT NULL THEN s.bytes END AS prefix_bytes
FROM found AS f
JOIN pg_class AS c ON c.oid = f.indexrelid
JOIN pg_class AS t ON t.oid = f.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
LEFT JOIN pg_class AS k ON k.oid = f.kept
LEFT JOIN pg_class AS l ON l.oid = f.longer
CROSS JOIN LATERAL (SELECT c.relpages * current_setting('block_size')::float8 AS bytes) AS s
WHERE t.relkind IN ('r', 'm')
  AND t.relpersistence <> 't'
