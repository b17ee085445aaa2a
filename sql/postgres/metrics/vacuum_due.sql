/* ---
description: Tables that are due for VACUUM or ANALYZE by the server's own formula, and how far the worst are over it.
scope: database
role: primary
interval: 5m
timeout: 20s
needs: [track_counts]
max_series: 1500
top: {key: [schema_name, table_name], weight: due, limit: 21}
metrics:
  dbwatch_pg_tables_needing_maintenance:
    - {value: need_vacuum, labels: {database: database, operation: =vacuum}}
    - {value: need_insert_vacuum, labels: {database: database, operation: =insert_vacuum}}
    - {value: need_analyze, labels: {database: database, operation: =analyze}}
  dbwatch_pg_tables_never_maintained:
    - {value: never_vacuumed, labels: {database: database, operation: =vacuum}}
    - {value: never_analyzed, labels: {database: database, operation: =analyze}}
  dbwatch_pg_tables_autovacuum_disabled: {value: disabled, labels: {database: database}}
  dbwatch_pg_table_vacuum_due_ratio:
    - {value: vacuum_due, labels: {database: database, schema: schema_name, table: table_name, operation: =vacuum}}
    - {value: insert_vacuum_due, labels: {database: database, schema: schema_name, table: table_name, operation: =insert_vacuum}}
--- */
-- What autovacuum.c computes: threshold + scale factor * rows, a table's own options before the server's, and a TOAST
-- table under the options of its table unless it has some. No table is opened. Over 1 it is due; where autovacuum is off
-- (for the table or the server) it is due all the same, and nobody comes. Those never vacuumed are those without a run
-- since the statistics began, empty ones left out.
-- @when postgres >= 18
WITH settings AS MATERIALIZED (
    SELECT current_setting('autovacuum_vacuum_threshold')::float8 AS vacuum_base,
           current_setting('autovacuum_vacuum_scale_factor')::float8 AS vacuum_scale,
           current_setting('autovacuum_vacuum_insert_threshold')::float8 AS insert_base,
           current_setting('autovacuum_vacuum_insert_scale_factor')::float8 AS insert_scale,
           current_setting('autovacuum_analyze_threshold')::float8 AS analyze_base,
           current_setting('autovacuum_analyze_scale_factor')::float8 AS analyze_scale,
           current_setting('autovacuum_vacuum_max_threshold')::float8 AS vacuum_most
),
options AS (
    SELECT c.oid,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_threshold')::float8 AS vacuum_base,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_scale_factor')::float8 AS vacuum_scale,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_insert_threshold')::float8 AS insert_base,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_insert_scale_factor')::float8 AS insert_scale,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_analyze_threshold')::float8 AS analyze_base,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_analyze_scale_factor')::float8 AS analyze_scale,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_max_threshold')::float8 AS vacuum_most,
           bool_or(CASE WHEN o.option_name = 'autovacuum_enabled' THEN NOT o.option_value::boolean END) AS disabled
    FROM pg_class AS c
    CROSS JOIN LATERAL pg_options_to_table(c.reloptions) AS o
    WHERE c.reloptions IS NOT NULL
      AND c.relkind IN ('r', 'm', 't')
      AND c.oid >= 16384
    GROUP BY c.oid
),
relations AS (
    SELECT c.oid, c.oid AS table_oid, c.oid AS options_oid, false AS is_toast, greatest(c.reltuples, 0)::float8 AS rows,
           1 - least(c.relallfrozen, c.relpages)::float8 / greatest(c.relpages, 1) AS unfrozen
    FROM pg_class AS c
    WHERE c.relkind IN ('r', 'm')
      AND c.relpersistence <> 't'
      AND c.oid >= 16384
    UNION ALL
    SELECT c.oid, m.oid, CASE WHEN c.reloptions IS NULL THEN m.oid ELSE c.oid END, true, greatest(c.reltuples, 0)::float8,
           1 - least(c.relallfrozen, c.relpages)::float8 / greatest(c.relpages, 1)
    FROM pg_class AS m
    JOIN pg_class AS c ON c.oid = m.reltoastrelid
    WHERE m.relkind IN ('r', 'm')
      AND m.relpersistence <> 't'
      AND m.oid >= 16384
),
limits AS (
    SELECT r.oid, r.table_oid, r.is_toast, coalesce(o.disabled, false) AS disabled,
           -- (With a maximum of -1 there is none.)
           least(coalesce(o.vacuum_base, s.vacuum_base) + coalesce(o.vacuum_scale, s.vacuum_scale) * r.rows,
                 nullif(coalesce(o.vacuum_most, s.vacuum_most), -1)) AS vacuum_limit,
           CASE WHEN coalesce(o.insert_base, s.insert_base) >= 0
                THEN coalesce(o.insert_base, s.insert_base)
                     + coalesce(o.insert_scale, s.insert_scale) * r.rows * r.unfrozen END AS insert_limit,
           CASE WHEN NOT r.is_toast
                THEN coalesce(o.analyze_base, s.analyze_base)
                     + coalesce(o.analyze_scale, s.analyze_scale) * r.rows END AS analyze_limit
    FROM relations AS r
    CROSS JOIN settings AS s
    LEFT JOIN options AS o ON o.oid = r.options_oid
),
dues AS MATERIALIZED (
    -- (A limit of 0 is passed by the first row.)
    SELECT l.table_oid,
           max(pg_stat_get_dead_tuples(l.oid) / greatest(l.vacuum_limit, 0.999)) AS vacuum_due,
           max(CASE WHEN l.insert_limit IS NOT NULL
                    THEN pg_stat_get_ins_since_vacuum(l.oid) / greatest(l.insert_limit, 0.999) END) AS insert_vacuum_due,
           bool_or(NOT l.is_toast AND pg_stat_get_mod_since_analyze(l.oid) > l.analyze_limit) AS need_analyze,
           bool_or(l.disabled AND NOT l.is_toast) AS disabled
    FROM limits AS l
    GROUP BY l.table_oid
)
SELECT NULL::name AS schema_name, NULL::name AS table_name, NULL::float8 AS vacuum_due, NULL::float8 AS insert_vacuum_due,
       count(*) FILTER (WHERE d.vacuum_due > 1) AS need_vacuum,
       count(*) FILTER (WHERE d.insert_vacuum_due > 1) AS need_insert_vacuum,
       count(*) FILTER (WHERE d.need_analyze) AS need_analyze,
       count(*) FILTER (WHERE d.disabled) AS disabled,
       count(*) FILTER (WHERE pg_stat_get_vacuum_count(d.table_oid) = 0 AND pg_stat_get_autovacuum_count(d.table_oid) = 0
                          AND pg_stat_get_tuples_inserted(d.table_oid) > 0) AS never_vacuumed,
       count(*) FILTER (WHERE pg_stat_get_analyze_count(d.table_oid) = 0 AND pg_stat_get_autoanalyze_count(d.table_oid) = 0
                          AND pg_stat_get_tuples_inserted(d.table_oid) > 0) AS never_analyzed,
       1e300::float8 AS due  -- the counts always have their place
FROM dues AS d
UNION ALL
(SELECT n.nspname, c.relname, d.vacuum_due, d.insert_vacuum_due, NULL, NULL, NULL, NULL, NULL, NULL,
        greatest(d.vacuum_due, d.insert_vacuum_due)
 FROM dues AS d
 JOIN pg_class AS c ON c.oid = d.table_oid
 JOIN pg_namespace AS n ON n.oid = c.relnamespace
 ORDER BY greatest(d.vacuum_due, d.insert_vacuum_due) DESC, c.oid
 LIMIT 200)
-- @when postgres < 18
WITH settings AS MATERIALIZED (
    SELECT current_setting('autovacuum_vacuum_threshold')::float8 AS vacuum_base,
           current_setting('autovacuum_vacuum_scale_factor')::float8 AS vacuum_scale,
           current_setting('autovacuum_vacuum_insert_threshold')::float8 AS insert_base,
           current_setting('autovacuum_vacuum_insert_scale_factor')::float8 AS insert_scale,
           current_setting('autovacuum_analyze_threshold')::float8 AS analyze_base,
           current_setting('autovacuum_analyze_scale_factor')::float8 AS analyze_scale,
           NULL::float8 AS vacuum_most
),
options AS (
    SELECT c.oid,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_threshold')::float8 AS vacuum_base,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_scale_factor')::float8 AS vacuum_scale,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_insert_threshold')::float8 AS insert_base,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_insert_scale_factor')::float8 AS insert_scale,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_analyze_threshold')::float8 AS analyze_base,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_analyze_scale_factor')::float8 AS analyze_scale,
           max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_vacuum_max_threshold')::float8 AS vacuum_most,
           bool_or(CASE WHEN o.option_name = 'autovacuum_enabled' THEN NOT o.option_value::boolean END) AS disabled
    FROM pg_class AS c
    CROSS JOIN LATERAL pg_options_to_table(c.reloptions) AS o
    WHERE c.reloptions IS NOT NULL
      AND c.relkind IN ('r', 'm', 't')
      AND c.oid >= 16384
    GROUP BY c.oid
),
relations AS (
    SELECT c.oid, c.oid AS table_oid, c.oid AS options_oid, false AS is_toast, greatest(c.reltuples, 0)::float8 AS rows,
           1 AS unfrozen
    FROM pg_class AS c
    WHERE c.relkind IN ('r', 'm')
      AND c.relpersistence <> 't'
      AND c.oid >= 16384
    UNION ALL
    SELECT c.oid, m.oid, CASE WHEN c.reloptions IS NULL THEN m.oid ELSE c.oid END, true, greatest(c.reltuples, 0)::float8,
           1
    FROM pg_class AS m
    JOIN pg_class AS c ON c.oid = m.reltoastrelid
    WHERE m.relkind IN ('r', 'm')
      AND m.relpersistence <> 't'
      AND m.oid >= 16384
),
limits AS (
    SELECT r.oid, r.table_oid, r.is_toast, coalesce(o.disabled, false) AS disabled,
           -- (With a maximum of -1 there is none.)
           least(coalesce(o.vacuum_base, s.vacuum_base) + coalesce(o.vacuum_scale, s.vacuum_scale) * r.rows,
                 nullif(coalesce(o.vacuum_most, s.vacuum_most), -1)) AS vacuum_limit,
           CASE WHEN coalesce(o.insert_base, s.insert_base) >= 0
                THEN coalesce(o.insert_base, s.insert_base)
                     + coalesce(o.insert_scale, s.insert_scale) * r.rows * r.unfrozen END AS insert_limit,
           CASE WHEN NOT r.is_toast
                THEN coalesce(o.analyze_base, s.analyze_base)
                     + coalesce(o.analyze_scale, s.analyze_scale) * r.rows END AS analyze_limit
    FROM relations AS r
    CROSS JOIN settings AS s
    LEFT JOIN options AS o ON o.oid = r.options_oid
),
dues AS MATERIALIZED (
    -- (A limit of 0 is passed by the first row.)
    SELECT l.table_oid,
           max(pg_stat_get_dead_tuples(l.oid) / greatest(l.vacuum_limit, 0.999)) AS vacuum_due,
           max(CASE WHEN l.insert_limit IS NOT NULL
                    THEN pg_stat_get_ins_since_vacuum(l.oid) / greatest(l.insert_limit, 0.999) END) AS insert_vacuum_due,
           bool_or(NOT l.is_toast AND pg_stat_get_mod_since_analyze(l.oid) > l.analyze_limit) AS need_analyze,
           bool_or(l.disabled AND NOT l.is_toast) AS disabled
    FROM limits AS l
    GROUP BY l.table_oid
)
SELECT NULL::name AS schema_name, NULL::name AS table_name, NULL::float8 AS vacuum_due, NULL::float8 AS insert_vacuum_due,
       count(*) FILTER (WHERE d.vacuum_due > 1) AS need_vacuum,
       count(*) FILTER (WHERE d.insert_vacuum_due > 1) AS need_insert_vacuum,
       count(*) FILTER (WHERE d.need_analyze) AS need_analyze,
       count(*) FILTER (WHERE d.disabled) AS disabled,
       count(*) FILTER (WHERE pg_stat_get_vacuum_count(d.table_oid) = 0 AND pg_stat_get_autovacuum_count(d.table_oid) = 0
                          AND pg_stat_get_tuples_inserted(d.table_oid) > 0) AS never_vacuumed,
       count(*) FILTER (WHERE pg_stat_get_analyze_count(d.table_oid) = 0 AND pg_stat_get_autoanalyze_count(d.table_oid) = 0
                          AND pg_stat_get_tuples_inserted(d.table_oid) > 0) AS never_analyzed,
       1e300::float8 AS due  -- the counts always have their place
FROM dues AS d
UNION ALL
(SELECT n.nspname, c.relname, d.vacuum_due, d.insert_vacuum_due, NULL, NULL, NULL, NULL, NULL, NULL,
        greatest(d.vacuum_due, d.insert_vacuum_due)
 FROM dues AS d
 JOIN pg_class AS c ON c.oid = d.table_oid
 JOIN pg_namespace AS n ON n.oid = c.relnamespace
 ORDER BY greatest(d.vacuum_due, d.insert_vacuum_due) DESC, c.oid
 LIMIT 200)
