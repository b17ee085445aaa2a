/* ---
description: What performance_schema has summed up is readable, where it runs (MariaDB ships it switched off).
grant: {any: "GRANT SELECT ON performance_schema.* TO {user};"}
--- */
-- @when setting performance_schema = ON
SELECT COUNT(*) >= 0 AS visible
FROM performance_schema.setup_instruments AS i
WHERE i.name = 'idle'
