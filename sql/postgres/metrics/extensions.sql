/* ---
description: The extensions of each database, and how many of them are not of the version that the server would install.
scope: database
role: primary
interval: 1h
timeout: 20s
max_series: 1000
metrics:
  dbwatch_pg_extensions_outdated: {value: outdated, labels: {database: database}}
  dbwatch_pg_extension_info: {value: installed, labels: {database: database, extension: extension, version: version}}
--- */
-- One whose files are gone from the server has no version there to compare with. (The list of those that could be
-- installed is a directory of files: looked into seldom, and once.)
WITH extensions AS MATERIALIZED (
    SELECT e.extname, e.extversion, a.default_version
    FROM pg_extension AS e
    LEFT JOIN pg_available_extensions AS a ON a.name = e.extname
)
SELECT e.extname AS extension,
       e.extversion AS version,
       1 AS installed,
       NULL::bigint AS outdated
FROM extensions AS e
UNION ALL
SELECT NULL, NULL, NULL, count(*) FILTER (WHERE e.extversion <> e.default_version)
FROM extensions AS e
