/* ---
description: What each database lacks, primary keys, indexes under foreign keys, validation, our sight of its sequences.
scope: database
role: primary
interval: 15m
timeout: 20s
max_series: 1000
metrics:
  dbwatch_tables_without_primary_key: {value: without_primary_key, labels: {database: database}}
  dbwatch_pg_foreign_keys_unindexed: {value: unindexed, labels: {database: database}}
  dbwatch_pg_constraints_unvalidated: {value: unvalidated, labels: {database: database}}
  dbwatch_pg_sequences_unreadable: {value: unreadable, labels: {database: database}}
--- */
-- An index serves a foreign key when its first columns are those of the key, in whichever order, and it holds every row
-- (or every row where a column IS NOT NULL). The constraints that partitions inherit are their parent's.
WITH beginnings AS (
    SELECT x.indrelid, string_to_array(x.indkey::text, ' ')::int2[] AS columns
    FROM pg_index AS x
    WHERE x.indrelid >= 16384
      AND x.indisvalid
      AND x.indisready
      AND (x.indpred IS NULL OR x.indpred::text LIKE '{NULLTEST %:nulltesttype 1 %')
),
served AS (
    SELECT DISTINCT k.oid
    FROM pg_constraint AS k
    JOIN beginnings AS i ON i.indrelid = k.conrelid
                     AND i.columns[1:cardinality(k.conkey)] @> k.conkey
    WHERE k.contype = 'f'
)
SELECT (SELECT count(*)
        FROM pg_class AS c
        WHERE c.relkind = 'r'
          AND c.relpersistence <> 't'
          AND c.oid >= 16384
          AND NOT EXISTS (SELECT FROM pg_index AS x WHERE x.indrelid = c.oid AND x.indisprimary)) AS without_primary_key,
       (SELECT count(*)
        FROM pg_constraint AS k
        WHERE k.contype = 'f'
          AND k.conparentid = 0
          AND k.oid NOT IN (SELECT s.oid FROM served AS s)) AS unindexed,
       (SELECT count(*)
        FROM pg_constraint AS k
        WHERE NOT k.convalidated
          AND k.conislocal
          AND k.conparentid = 0
          -- (One that is NOT ENFORCED, since PostgreSQL 18, is not validated on purpose; older ones lack the column.)
          AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)) AS unvalidated,
       (SELECT count(*)
        FROM pg_sequence AS s
        WHERE NOT has_sequence_privilege(s.seqrelid, 'SELECT')) AS unreadable
