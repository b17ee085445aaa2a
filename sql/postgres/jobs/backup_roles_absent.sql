/* ---
description: Of these roles ($1), those that this server does not have, each with the statement that makes it.
timeout: 10s
--- */
-- Nobody can make one whose name begins with pg_: every server of a version has the same.
SELECT wanted.name, format('CREATE ROLE %I;', wanted.name) AS to_make_it
FROM unnest($1::text[]) AS wanted (name)
WHERE wanted.name !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname::text = wanted.name)
ORDER BY wanted.name
