/* ---
description: The objects of each kind that a database has, and a digest of their definitions, computed by the server.
timeout: 120s
--- */
-- SHA2, for MySQL has MD5 no longer (9.6). The digest is a sum of hashes: the order of rows does not count. A change by
-- accident goes unseen once in 2^64. Of generated columns the values are compared and not the
-- expression, whose literals MySQL rewrites. Aria writes page_checksum into every dump, and the row format that it
-- uses instead of the one that was asked for: so the format in use counts, and not the words. Grouped by bytes: MariaDB's
-- own collation takes two names that differ by case alone for one.
SELECT x.table_schema AS `database`,
       'table' AS kind,
       x.table_name AS name,
       COUNT(*) AS objects,
       SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|',
           x.table_name, x.table_type, x.engine, x.table_collation,
           IF(x.engine = 'Aria',
              CONCAT_WS(' ', x.row_format,
                        REGEXP_REPLACE(x.create_options, '(page_checksum|row_format)=[A-Za-z0-9]+ *', '')),
              x.create_options),
           x.table_comment), 256), 16), 16, 10)
           AS UNSIGNED)) AS digest
FROM information_schema.tables AS x
WHERE x.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
  AND x.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
GROUP BY CAST(x.table_schema AS BINARY), CAST(x.table_name AS BINARY), x.table_schema, x.table_name
UNION ALL
SELECT x.table_schema,
       'sequence',
       x.table_name,
       COUNT(*),
       SUM(CAST(CONV(LEFT(SHA2(x.table_name, 256), 16), 16, 10) AS UNSIGNED))
FROM information_schema.tables AS x
WHERE x.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
  AND x.table_type = 'SEQUENCE'
GROUP BY CAST(x.table_schema AS BINARY), CAST(x.table_name AS BINARY), x.table_schema, x.table_name
UNION ALL
SELECT x.table_schema,
       'view',
       x.table_name,
       COUNT(*),
       SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|',
           x.table_name, REPLACE(x.view_definition, CONCAT('`', x.table_schema, '`.'), ''),
           x.check_option, x.definer, x.security_type, x.character_set_client), 256), 16), 16, 10)
           AS UNSIGNED))
FROM information_schema.views AS x
WHERE x.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
GROUP BY CAST(x.table_schema AS BINARY), CAST(x.table_name AS BINARY), x.table_schema, x.table_name
UNION ALL
SELECT x.table_schema,
       'column',
       x.table_name,
       COUNT(*),
       SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|',
           x.table_name, x.column_name, x.ordinal_position, x.column_type, x.is_nullable,
           COALESCE(x.column_default, '~'), x.extra, COALESCE(x.collation_name, '~'),
           COALESCE(x.generation_expression, '') <> '', x.column_comment), 256), 16), 16, 10)
           AS UNSIGNED))
FROM information_schema.columns AS x
WHERE x.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
GROUP BY CAST(x.table_schema AS BINARY), CAST(x.table_name AS BINARY), x.table_schema, x.table_name
UNION ALL
SELECT x.table_schema,
       'index',
       x.table_name,
       COUNT(*),
       SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|',
           x.table_name, x.index_name, x.seq_in_index, COALESCE(x.column_name, '~'), x.non_unique,
           COALESCE(x.sub_part, 0), x.index_type), 256), 16), 16, 10)
           AS UNSIGNED))
FROM information_schema.statistics AS x
WHERE x.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
GROUP BY CAST(x.table_schema AS BINARY), CAST(x.table_name AS BINARY), x.table_schema, x.table_name
UNION ALL
SELECT x.table_schema,
       'constraint',
       x.table_name,
       COUNT(*),
       SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|',
           x.table_name, x.constraint_name, x.constraint_type), 256), 16), 16, 10)
           AS UNSIGNED))
FROM information_schema.table_constraints AS x
WHERE x.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
GROUP BY CAST(x.table_schema AS BINARY), CAST(x.table_name AS BINARY), x.table_schema, x.table_name
UNION ALL
SELECT x.constraint_schema,
       'foreign_key',
       x.table_name,
       COUNT(*),
       SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|',
           x.table_name, x.constraint_name, x.referenced_table_name, x.update_rule, x.delete_rule), 256), 16), 16, 10)
           AS UNSIGNED))
FROM information_schema.referential_constraints AS x
WHERE x.constraint_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
GROUP BY CAST(x.constraint_schema AS BINARY), CAST(x.table_name AS BINARY), x.constraint_schema, x.table_name
UNION ALL
SELECT x.trigger_schema,
       'trigger',
       x.trigger_name,
       COUNT(*),
       SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|',
           x.trigger_name, x.event_object_table, x.event_manipulation, x.action_timing, x.action_order,
           x.definer, SHA2(x.action_statement, 256)), 256), 16), 16, 10)
           AS UNSIGNED))
FROM information_schema.triggers AS x
WHERE x.trigger_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
GROUP BY CAST(x.trigger_schema AS BINARY), CAST(x.trigger_name AS BINARY), x.trigger_schema, x.trigger_name
UNION ALL
SELECT x.routine_schema,
       'routine',
       x.routine_name,
       COUNT(*),
       SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|',
           x.routine_name, x.routine_type, x.definer, x.security_type, x.sql_data_access,
           COALESCE(SHA2(x.routine_definition, 256), '~')), 256), 16), 16, 10)
           AS UNSIGNED))
FROM information_schema.routines AS x
WHERE x.routine_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
GROUP BY CAST(x.routine_schema AS BINARY), CAST(x.routine_name AS BINARY), x.routine_schema, x.routine_name
UNION ALL
SELECT x.event_schema,
       'event',
       x.event_name,
       COUNT(*),
       SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|',
           x.event_name, x.definer, SHA2(x.event_definition, 256), x.event_type, COALESCE(x.interval_value,
           '~'), COALESCE(x.interval_field, '~'), x.on_completion), 256), 16), 16, 10)
           AS UNSIGNED))
FROM information_schema.events AS x
WHERE x.event_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
GROUP BY CAST(x.event_schema AS BINARY), CAST(x.event_name AS BINARY), x.event_schema, x.event_name
UNION ALL
SELECT x.table_schema,
       'partition',
       x.table_name,
       COUNT(*),
       SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|',
           x.table_name, x.partition_name, COALESCE(x.subpartition_name, '~'), x.partition_method,
           COALESCE(x.partition_description, '~')), 256), 16), 16, 10)
           AS UNSIGNED))
FROM information_schema.partitions AS x
WHERE x.table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
  AND x.partition_name IS NOT NULL
GROUP BY CAST(x.table_schema AS BINARY), CAST(x.table_name AS BINARY), x.table_schema, x.table_name
