/* ---
description: How old the oldest unfrozen rows of each database are, how near the limits that is, and how fast ids are used.
interval: 5m
max_series: 3000
metrics:
  dbwatch_pg_xids_total: {value: used}
  dbwatch_pg_freeze_age_xids: {value: xids, labels: {database: database}}
  dbwatch_pg_freeze_age_multixacts: {value: multixacts, labels: {database: database}}
  dbwatch_pg_freeze_ratio:
    - {value: xids_of_autovacuum, labels: {database: database, kind: =xid, limit: =autovacuum}}
    - {value: xids_of_wraparound, labels: {database: database, kind: =xid, limit: =wraparound}}
    - {value: multixacts_of_autovacuum, labels: {database: database, kind: =multixact, limit: =autovacuum}}
    - {value: multixacts_of_wraparound, labels: {database: database, kind: =multixact, limit: =wraparound}}
--- */
-- Every database, also one that nobody may enter: the oldest of them all stops the server.
SELECT f.database,
       NULL::float8 AS used,
       f.xids,
       f.multixacts,
       f.xids / current_setting('autovacuum_freeze_max_age')::float8 AS xids_of_autovacuum,
       f.xids / 2147483648::float8 AS xids_of_wraparound,
       f.multixacts / current_setting('autovacuum_multixact_freeze_max_age')::float8 AS multixacts_of_autovacuum,
       f.multixacts / 2147483648::float8 AS multixacts_of_wraparound
FROM (
    SELECT d.datname AS database,
           greatest(age(d.datfrozenxid), 0) AS xids,
           greatest(mxid_age(d.datminmxid), 0) AS multixacts
    FROM pg_database AS d
) AS f
UNION ALL
-- A snapshot tells the next id in 64 bits and uses none. A replica uses none at all: it only hears of its primary's.
SELECT NULL, CASE WHEN NOT pg_is_in_recovery() THEN pg_snapshot_xmax(pg_current_snapshot())::text::float8 END,
       NULL, NULL, NULL, NULL, NULL, NULL
