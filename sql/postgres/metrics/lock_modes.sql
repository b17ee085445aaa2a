/* ---
description: Locks held and awaited by mode, and how full the table of locks is.
interval: 60s
lane: slow  # the table of locks may hold a hundred thousand
timeout: 5s
max_series: 18
metrics:
  dbwatch_pg_locks: {value: locks, labels: {mode: mode, granted: granted}}
  dbwatch_pg_lock_table_used_ratio: {value: used_ratio}
--- */
WITH held AS MATERIALIZED (
    SELECT l.mode, l.granted, l.fastpath, l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid,
           l.transactionid, l.classid, l.objid, l.objsubid
    FROM pg_locks AS l
    WHERE l.pid IS DISTINCT FROM pg_backend_pid()
)
SELECT m.name AS mode,
       CASE WHEN g.granted THEN 'yes' ELSE 'no' END AS granted,
       count(h.mode) AS locks,
       NULL::float8 AS used_ratio
FROM (VALUES ('access_share', 'AccessShareLock'), ('row_share', 'RowShareLock'), ('row_exclusive', 'RowExclusiveLock'),
             ('share_update_exclusive', 'ShareUpdateExclusiveLock'), ('share', 'ShareLock'),
             ('share_row_exclusive', 'ShareRowExclusiveLock'), ('exclusive', 'ExclusiveLock'),
             ('access_exclusive', 'AccessExclusiveLock'), ('serializable_read', 'SIReadLock')) AS m (name, mode)
CROSS JOIN (VALUES (true), (false)) AS g (granted)
LEFT JOIN held AS h
       ON h.mode = m.mode
      AND h.granted = g.granted
      -- Every transaction holds its own ids: they would drown what was really locked. A wait for one is a real wait.
      AND NOT (h.granted AND h.locktype IN ('virtualxid', 'transactionid'))
WHERE g.granted OR m.mode <> 'SIReadLock'  -- nobody ever waits for one
GROUP BY m.name, g.granted
UNION ALL
-- What the documentation promises room for. Locks of the fast path, and the predicate locks, stand elsewhere.
SELECT '', '', NULL, count(*) / (current_setting('max_locks_per_transaction')::float8
                                 * (current_setting('max_connections')::float8
                                    + current_setting('max_prepared_transactions')::float8))
FROM (
    SELECT DISTINCT h.locktype, h.database, h.relation, h.page, h.tuple, h.virtualxid, h.transactionid, h.classid,
                    h.objid, h.objsubid
    FROM held AS h
    WHERE NOT h.fastpath
      AND h.mode <> 'SIReadLock'
) AS o
