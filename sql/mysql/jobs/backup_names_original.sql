/* ---
description: What of a restored copy still names the database that it is a copy of, and would work on that one.
timeout: 60s
--- */
-- {database} is the copy's name, {pattern} the original's followed by a dot, both in hexadecimal. What may not be read
-- may name it too.
SELECT q.kind, q.name
FROM (
    SELECT 'view' AS kind, v.table_name AS name, v.table_schema AS db, v.view_definition AS definition
    FROM information_schema.views AS v
    UNION ALL
    SELECT 'trigger', t.trigger_name, t.trigger_schema, t.action_statement
    FROM information_schema.triggers AS t
    UNION ALL
    SELECT LOWER(r.routine_type), r.routine_name, r.routine_schema, r.routine_definition
    FROM information_schema.routines AS r
    UNION ALL
    SELECT 'event', e.event_name, e.event_schema, e.event_definition
    FROM information_schema.events AS e
    UNION ALL
    SELECT 'default of', CONCAT(c.table_name, '.', c.column_name), c.table_schema, c.column_default
    FROM information_schema.columns AS c
    WHERE c.column_default LIKE '%val(%'
) AS q
WHERE q.db = CONVERT(UNHEX('{database}') USING utf8mb4)
  AND (COALESCE(q.definition, '') = '' OR q.definition RLIKE CONVERT(UNHEX('{pattern}') USING utf8mb4))
ORDER BY q.kind, q.name
