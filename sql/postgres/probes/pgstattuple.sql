/* ---
description: The extension pgstattuple is in the schema public of the database, and we may use it.
grant: {any: "CREATE EXTENSION IF NOT EXISTS pgstattuple SCHEMA public; GRANT USAGE ON SCHEMA public TO {user};"}
--- */
-- In another schema it is not called: nobody's function of the same name ever is.
SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE') AND has_schema_privilege(n.oid, 'USAGE')) AS usable
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace
JOIN pg_proc AS p ON p.pronamespace = n.oid
                 AND p.proname IN ('pgstattuple_approx', 'pgstatindex')
                 AND p.probin IS NOT NULL
WHERE e.extname = 'pgstattuple'
  AND n.nspname = 'public'
