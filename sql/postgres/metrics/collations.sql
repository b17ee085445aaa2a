/* ---
description: Collations whose order of texts may have changed under the indexes of each database.
scope: database
interval: 30m
timeout: 20s
max_series: 500
metrics:
  dbwatch_pg_collation_version_mismatches: {value: mismatches, labels: {database: database}}
--- */
-- The version that was noted when the indexes were built, beside what the operating system gives now: on a standby too,
-- whose machine may be another. Only collations that something uses: an upgrade leaves hundreds of others behind, which
-- harm nobody. (No dependency is noted on those that initdb pins: their indexes are looked for.)
-- Where no version of the database's own was noted nobody knows of it: NULL, not 0.
-- @when postgres >= 15
WITH used AS (
    SELECT d.refobjid AS oid
    FROM pg_depend AS d
    WHERE d.refclassid = 'pg_collation'::regclass
    UNION
    SELECT unnest(x.indcollation)
    FROM pg_index AS x
    WHERE x.indrelid >= 16384
),
changed AS (
    SELECT count(*) AS collations
    FROM used AS u
    JOIN pg_collation AS c ON c.oid = u.oid
    WHERE c.collversion IS NOT NULL
      AND c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid)
),
own AS (
    SELECT d.datcollversion AS noted, pg_database_collation_actual_version(d.oid) AS actual
    FROM pg_database AS d
    WHERE d.datname = current_database()
)
SELECT CASE WHEN o.noted IS NOT NULL THEN g.collations + (o.noted IS DISTINCT FROM o.actual)::int
            WHEN o.actual IS NULL OR g.collations > 0 THEN g.collations
       END AS mismatches
FROM changed AS g
CROSS JOIN own AS o
-- @when postgres < 15
-- As above; the version of the database's own is noted since PostgreSQL 15. The order of C never changes.
WITH used AS (
    SELECT d.refobjid AS oid
    FROM pg_depend AS d
    WHERE d.refclassid = 'pg_collation'::regclass
    UNION
    SELECT unnest(x.indcollation)
    FROM pg_index AS x
    WHERE x.indrelid >= 16384
),
changed AS (
    SELECT count(*) AS collations
    FROM used AS u
    JOIN pg_collation AS c ON c.oid = u.oid
    WHERE c.collversion IS NOT NULL
      AND c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid)
),
own AS (
    SELECT d.datcollate ~* '^(c|posix)(\.|$)' AS is_fixed
    FROM pg_database AS d
    WHERE d.datname = current_database()
)
SELECT CASE WHEN o.is_fixed OR g.collations > 0 THEN g.collations END AS mismatches
FROM changed AS g
CROSS JOIN own AS o
