/* ---
description: Indexes that are the same as another one of their table, and what they take.
scope: database
role: primary
interval: 1h
timeout: 20s
max_series: 500
top: {key: [schema_name, table_name, index_name, duplicate_of], weight: bytes, limit: 20}
metrics:
  dbwatch_index_duplicate_bytes:
    value: bytes
    labels: {database: database, schema: schema_name, table: table_name, index: index_name, duplicate_of: duplicate_of}
--- */
-- The same columns, expressions, order, collations, operator classes and predicate by the same method. The one to keep is
-- the primary key, else a unique one, else the replica identity, else the oldest; of two unique ones each might carry a
-- constraint. (Where an expression stood in its CREATE INDEX is no difference.)
WITH alike AS (
    -- (Cheap: what has the same columns. Few do, and the rest is compared of them alone.)
    SELECT x.indexrelid, count(*) OVER (PARTITION BY x.indrelid, x.indkey::text) AS many
    FROM pg_index AS x
    WHERE x.indrelid >= 16384
      AND x.indisvalid
      AND x.indisready
      AND NOT x.indisexclusion
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
twins AS (
    SELECT s.indrelid, s.indexrelid,
           first_value(s.indexrelid) OVER same AS kept
    FROM shapes AS s
    JOIN pg_class AS c ON c.oid = s.indexrelid AND c.relkind = 'i'
    WINDOW same AS (PARTITION BY s.indrelid, c.relam, s.shape
                    ORDER BY s.indisprimary DESC, s.indisunique DESC, s.indisreplident DESC, s.indexrelid)
)
SELECT n.nspname AS schema_name,
       t.relname AS table_name,
       c.relname AS index_name,
       k.relname AS duplicate_of,
       c.relpages * current_setting('block_size')::float8 AS bytes
FROM twins AS w
JOIN pg_class AS c ON c.oid = w.indexrelid
JOIN pg_class AS k ON k.oid = w.kept
JOIN pg_class AS t ON t.oid = w.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE w.kept <> w.indexrelid
  AND t.relkind IN ('r', 'm')
  AND t.relpersistence <> 't'
