/* ---
description: Views that call a stored function, and which. MariaDB wants EXECUTE on it to list the columns of such a view.
timeout: 60s
--- */
-- The server keeps the text of a view with all names quoted, a function's as it was written: without a database it is
-- one of the view's own. What the server brings itself stands there without quotes, whatever a function is called.
-- @when mariadb
SELECT v.table_schema AS `database`,
       v.table_name AS name,
       r.routine_schema AS of_database,
       r.routine_name AS `function`
FROM information_schema.routines AS r
INNER JOIN information_schema.views AS v
    ON INSTR(v.view_definition, CONCAT('`', REPLACE(r.routine_schema, '`', '``'), '`.`',
                                       REPLACE(r.routine_name, '`', '``'), '`(')) > 0
    OR (BINARY v.table_schema = BINARY r.routine_schema
        AND INSTR(REPLACE(v.view_definition, '.`', '.'), CONCAT('`', REPLACE(r.routine_name, '`', '``'), '`(')) > 0)
WHERE r.routine_type = 'FUNCTION'
  AND r.routine_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
ORDER BY v.table_schema, v.table_name, r.routine_schema, r.routine_name
