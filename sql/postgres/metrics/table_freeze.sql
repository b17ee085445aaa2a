/* ---
description: The tables whose oldest transaction or multixact numbers are nearest to a forced VACUUM.
scope: database
role: primary
interval: 15m
timeout: 20s
max_series: 500
top: {key: [schema_name, table_name], weight: nearest, limit: 10}
metrics:
  dbwatch_pg_table_freeze_ratio:
    - {value: xid_ratio, labels: {database: database, schema: schema_name, table: table_name, kind: =xid}}
    - {value: multixact_ratio, labels: {database: database, schema: schema_name, table: table_name, kind: =multixact}}
--- */
-- Age over autovacuum_freeze_max_age (or the table's own, where that is less): from 1 on the table is vacuumed whether
-- autovacuum is on or not. Catalogues and temporary tables count too, for they hold the database back as any other; the
-- TOAST table counts for its table.
WITH settings AS MATERIALIZED (
    SELECT current_setting('autovacuum_freeze_max_age')::float8 AS xids,
           current_setting('autovacuum_multixact_freeze_max_age')::float8 AS multixacts
),
oldest AS MATERIALIZED (
    SELECT c.oid, c.relkind, c.reloptions, c.relfrozenxid, c.relminmxid
    FROM pg_class AS c
    CROSS JOIN settings AS s
    WHERE c.relkind IN ('r', 'm', 't')
      AND c.relfrozenxid <> 0
      AND c.relminmxid <> 0
    -- (Own limits are looked into only where there are any.)
    ORDER BY greatest(age(c.relfrozenxid)
                      / CASE WHEN c.reloptions IS NULL THEN s.xids
                             ELSE least(s.xids, (SELECT o.option_value::float8
                                                 FROM pg_options_to_table(c.reloptions) AS o
                                                 WHERE o.option_name = 'autovacuum_freeze_max_age')) END,
                      mxid_age(c.relminmxid)
                      / CASE WHEN c.reloptions IS NULL THEN s.multixacts
                             ELSE least(s.multixacts, (SELECT o.option_value::float8
                                                       FROM pg_options_to_table(c.reloptions) AS o
                                                       WHERE o.option_name = 'autovacuum_multixact_freeze_max_age')) END) DESC,
             c.relpages DESC, c.oid
    LIMIT 200
),
named AS (
    SELECT coalesce(m.oid, d.oid) AS table_oid, coalesce(d.reloptions, m.reloptions) AS reloptions, d.relfrozenxid, d.relminmxid
    FROM oldest AS d
    LEFT JOIN pg_class AS m ON m.reltoastrelid = d.oid AND d.relkind = 't'
),
ratios AS (
    SELECT r.table_oid,
           max(age(r.relfrozenxid) / least(o.xids, s.xids)) AS xid_ratio,
           max(mxid_age(r.relminmxid) / least(o.multixacts, s.multixacts)) AS multixact_ratio
    FROM named AS r
    CROSS JOIN settings AS s
    CROSS JOIN LATERAL (
        SELECT max(p.option_value) FILTER (WHERE p.option_name = 'autovacuum_freeze_max_age')::float8 AS xids,
               max(p.option_value) FILTER (WHERE p.option_name = 'autovacuum_multixact_freeze_max_age')::float8 AS multixacts
        FROM pg_options_to_table(r.reloptions) AS p
    ) AS o
    GROUP BY r.table_oid
)
SELECT n.nspname AS schema_name,
       c.relname AS table_name,
       a.xid_ratio,
       a.multixact_ratio,
       greatest(a.xid_ratio, a.multixact_ratio) AS nearest
FROM ratios AS a
JOIN pg_class AS c ON c.oid = a.table_oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
