/* ---
description: Statements are counted by digest (performance_schema, off on MariaDB by default), and we may read it.
grant:
  any: >-
    /* with performance_schema = ON at the server's start */
    GRANT SELECT ON performance_schema.* TO {user};
    UPDATE performance_schema.setup_consumers SET enabled = 'YES' WHERE name = 'statements_digest';
--- */
-- Off, the counters stand still, without an error.
SELECT COUNT(*) > 0 AS counted
FROM performance_schema.setup_consumers AS c
WHERE c.name = 'statements_digest' AND c.enabled = 'YES'
