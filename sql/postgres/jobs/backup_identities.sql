/* ---
description: Columns of partitions that no restore makes GENERATED AS IDENTITY again, and the parent to sort after.
timeout: 10s
--- */
-- A dump attaches partitions in the order of their names, and what is attached to a table that is no partition yet
-- stays without the identity that this one is given with its own parent. Before 17 there was none on partitions.
-- @when postgres >= 17
WITH RECURSIVE part AS (
    SELECT i.inhrelid AS relid, n.nspname, c.relname, false AS is_lost, ''::text COLLATE "C" AS parent
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_class AS r ON r.oid = i.inhparent AND NOT r.relispartition
    UNION ALL
    SELECT i.inhrelid, n.nspname, c.relname,
           p.is_lost OR (n.nspname, c.relname) < (p.nspname, p.relname),
           CASE WHEN p.is_lost THEN p.parent ELSE format('%I.%I', p.nspname, p.relname) COLLATE "C" END
    FROM part AS p
    JOIN pg_inherits AS i ON i.inhparent = p.relid
    JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
)
SELECT format('%I.%I.%I', p.nspname, p.relname, a.attname) AS name,
       p.parent
FROM part AS p
JOIN pg_attribute AS a ON a.attrelid = p.relid AND a.attidentity <> ''
WHERE p.is_lost
ORDER BY p.nspname, p.relname, a.attnum
-- @when postgres < 17
SELECT NULL AS name, NULL AS parent WHERE false
