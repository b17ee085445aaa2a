/* ---
description: The databases whose tables our account may see.
--- */
SELECT s.schema_name AS name,
       NULL AS remedy
FROM information_schema.schemata AS s
WHERE s.schema_name NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
