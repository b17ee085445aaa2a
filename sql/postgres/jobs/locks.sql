/* ---
description: Who waits for a lock and who holds it, prepared transactions too. Of a query only its fingerprint, never its text.
timeout: 2s
needs: [pg_monitor]
--- */
-- @when postgres >= 14
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT DISTINCT w.pid, b.blocker
    FROM (
        SELECT s.pid
        FROM pg_stat_activity AS s
        WHERE s.wait_event_type = 'Lock'
        ORDER BY s.query_start
        LIMIT 100
    ) AS w
    CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (blocker)
),
chain (pid, root, depth) AS (
    SELECT e.blocker, e.blocker, 0
    FROM edge AS e
    WHERE NOT EXISTS (SELECT FROM edge AS w WHERE w.pid = e.blocker)
    UNION
    SELECT e.pid, c.root, c.depth + 1
    FROM chain AS c
    JOIN edge AS e ON e.blocker = c.pid
    WHERE c.depth < 20
),
blocked AS (
    SELECT e.pid,
           string_agg(e.blocker::text, ' ' ORDER BY e.blocker) AS blocked_by,
           (SELECT min(c.root) FROM chain AS c WHERE c.pid = e.pid) AS root_blocker
    FROM edge AS e
    GROUP BY e.pid
),
-- The blocker 0 stands for every prepared transaction: which ones it is, by the locks that they and their waiters name.
taken AS MATERIALIZED (
    SELECT k.pid, k.granted, k.mode, k.virtualtransaction, k.locktype, k.database, k.relation, k.page, k.tuple,
           k.transactionid, k.classid, k.objid, k.objsubid
    FROM pg_locks AS k
    WHERE EXISTS (SELECT FROM edge AS e WHERE e.blocker = 0)
),
prepared AS (
    SELECT DISTINCT p.gid, p.owner, p.database, p.prepared
    FROM taken AS w
    JOIN (VALUES ('AccessShareLock', '{AccessExclusive}'::text[]),
                 ('RowShareLock', '{Exclusive,AccessExclusive}'),
                 ('RowExclusiveLock', '{Share,ShareRowExclusive,Exclusive,AccessExclusive}'),
                 ('ShareUpdateExclusiveLock',
                  '{ShareUpdateExclusive,Share,ShareRowExclusive,Exclusive,AccessExclusive}'),
                 ('ShareLock', '{RowExclusive,ShareUpdateExclusive,ShareRowExclusive,Exclusive,AccessExclusive}'),
                 ('ShareRowExclusiveLock',
                  '{RowExclusive,ShareUpdateExclusive,Share,ShareRowExclusive,Exclusive,AccessExclusive}'),
                 ('ExclusiveLock', '{RowShare,RowExclusive,ShareUpdateExclusive,Share,ShareRowExclusive,Exclusive,'
                                   'AccessExclusive}'),
                 ('AccessExclusiveLock', '{AccessShare,RowShare,RowExclusive,ShareUpdateExclusive,Share,'
                                         'ShareRowExclusive,Exclusive,AccessExclusive}')) AS c (mode, against)
      ON c.mode = w.mode
    JOIN taken AS h
      ON h.granted
     AND h.pid IS NULL
     AND left(h.mode, -4) = ANY (c.against)
     AND (h.locktype, h.database, h.relation, h.page, h.tuple, h.transactionid, h.classid, h.objid, h.objsubid)
         IS NOT DISTINCT FROM
         (w.locktype, w.database, w.relation, w.page, w.tuple, w.transactionid, w.classid, w.objid, w.objsubid)
    -- Its own id, which it holds too, leads to its name.
    JOIN taken AS i
      ON i.pid IS NULL
     AND i.locktype = 'transactionid'
     AND i.virtualtransaction = h.virtualtransaction
    JOIN pg_prepared_xacts AS p ON p.transaction = i.transactionid
    WHERE NOT w.granted
      AND w.pid IN (SELECT e.pid FROM edge AS e WHERE e.blocker = 0)
)
SELECT s.pid,
       coalesce(s.usename, '') AS user,
       s.application_name AS application,
       coalesce(s.datname, '') AS database,
       coalesce(s.state, '') AS state,
       greatest(extract(epoch FROM clock_timestamp() - s.xact_start), 0)::float8 AS transaction_seconds,
       CASE WHEN s.wait_event_type = 'Lock'
            THEN greatest(extract(epoch FROM clock_timestamp() - coalesce(l.waitstart, s.query_start, s.state_change)), 0)::float8
       END AS wait_seconds,
       l.locktype AS lock_type,
       -- Only the names of the database we are in can be read here; of others the number is shown. 0: of all of them.
       CASE WHEN l.database IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
            THEN l.relation::regclass::text
            ELSE (SELECT d.datname FROM pg_database AS d WHERE d.oid = l.database) || ':' || l.relation::text
       END AS relation,
       b.blocked_by,
       b.root_blocker,
       coalesce(s.query_id::text, left(md5(regexp_replace(s.query, '''[^'']*''|[0-9]+', '?', 'g')), 16)) AS fingerprint,
       NULL AS gid
FROM pg_stat_activity AS s
LEFT JOIN blocked AS b ON b.pid = s.pid
LEFT JOIN LATERAL (
    SELECT k.waitstart, k.locktype, k.database, k.relation
    FROM pg_locks AS k
    WHERE k.pid = s.pid AND NOT k.granted
    LIMIT 1
) AS l ON s.wait_event_type = 'Lock'
WHERE b.pid IS NOT NULL
   OR s.pid IN (SELECT e.blocker FROM edge AS e)
UNION ALL
SELECT 0, p.owner, '', p.database, 'prepared',
       greatest(extract(epoch FROM clock_timestamp() - p.prepared), 0)::float8,
       NULL, NULL, NULL, NULL, NULL, NULL, p.gid
FROM prepared AS p
ORDER BY root_blocker NULLS FIRST, wait_seconds DESC NULLS LAST, transaction_seconds DESC NULLS LAST
LIMIT 500
-- @when postgres < 14
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT DISTINCT w.pid, b.blocker
    FROM (
        SELECT s.pid
        FROM pg_stat_activity AS s
        WHERE s.wait_event_type = 'Lock'
        ORDER BY s.query_start
        LIMIT 100
    ) AS w
    CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (blocker)
),
chain (pid, root, depth) AS (
    SELECT e.blocker, e.blocker, 0
    FROM edge AS e
    WHERE NOT EXISTS (SELECT FROM edge AS w WHERE w.pid = e.blocker)
    UNION
    SELECT e.pid, c.root, c.depth + 1
    FROM chain AS c
    JOIN edge AS e ON e.blocker = c.pid
    WHERE c.depth < 20
),
blocked AS (
    SELECT e.pid,
           string_agg(e.blocker::text, ' ' ORDER BY e.blocker) AS blocked_by,
           (SELECT min(c.root) FROM chain AS c WHERE c.pid = e.pid) AS root_blocker
    FROM edge AS e
    GROUP BY e.pid
),
-- The blocker 0 stands for every prepared transaction: which ones it is, by the locks that they and their waiters name.
taken AS MATERIALIZED (
    SELECT k.pid, k.granted, k.mode, k.virtualtransaction, k.locktype, k.database, k.relation, k.page, k.tuple,
           k.transactionid, k.classid, k.objid, k.objsubid
    FROM pg_locks AS k
    WHERE EXISTS (SELECT FROM edge AS e WHERE e.blocker = 0)
),
prepared AS (
    SELECT DISTINCT p.gid, p.owner, p.database, p.prepared
    FROM taken AS w
    JOIN (VALUES ('AccessShareLock', '{AccessExclusive}'::text[]),
                 ('RowShareLock', '{Exclusive,AccessExclusive}'),
                 ('RowExclusiveLock', '{Share,ShareRowExclusive,Exclusive,AccessExclusive}'),
                 ('ShareUpdateExclusiveLock',
                  '{ShareUpdateExclusive,Share,ShareRowExclusive,Exclusive,AccessExclusive}'),
                 ('ShareLock', '{RowExclusive,ShareUpdateExclusive,ShareRowExclusive,Exclusive,AccessExclusive}'),
                 ('ShareRowExclusiveLock',
                  '{RowExclusive,ShareUpdateExclusive,Share,ShareRowExclusive,Exclusive,AccessExclusive}'),
                 ('ExclusiveLock', '{RowShare,RowExclusive,ShareUpdateExclusive,Share,ShareRowExclusive,Exclusive,'
                                   'AccessExclusive}'),
                 ('AccessExclusiveLock', '{AccessShare,RowShare,RowExclusive,ShareUpdateExclusive,Share,'
                                         'ShareRowExclusive,Exclusive,AccessExclusive}')) AS c (mode, against)
      ON c.mode = w.mode
    JOIN taken AS h
      ON h.granted
     AND h.pid IS NULL
     AND left(h.mode, -4) = ANY (c.against)
     AND (h.locktype, h.database, h.relation, h.page, h.tuple, h.transactionid, h.classid, h.objid, h.objsubid)
         IS NOT DISTINCT FROM
         (w.locktype, w.database, w.relation, w.page, w.tuple, w.transactionid, w.classid, w.objid, w.objsubid)
    -- Its own id, which it holds too, leads to its name.
    JOIN taken AS i
      ON i.pid IS NULL
     AND i.locktype = 'transactionid'
     AND i.virtualtransaction = h.virtualtransaction
    JOIN pg_prepared_xacts AS p ON p.transaction = i.transactionid
    WHERE NOT w.granted
      AND w.pid IN (SELECT e.pid FROM edge AS e WHERE e.blocker = 0)
)
SELECT s.pid,
       coalesce(s.usename, '') AS user,
       s.application_name AS application,
       coalesce(s.datname, '') AS database,
       coalesce(s.state, '') AS state,
       greatest(extract(epoch FROM clock_timestamp() - s.xact_start), 0)::float8 AS transaction_seconds,
       CASE WHEN s.wait_event_type = 'Lock'
            THEN greatest(extract(epoch FROM clock_timestamp() - coalesce(s.query_start, s.state_change)), 0)::float8
       END AS wait_seconds,
       l.locktype AS lock_type,
       -- Only the names of the database we are in can be read here; of others the number is shown. 0: of all of them.
       CASE WHEN l.database IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
            THEN l.relation::regclass::text
            ELSE (SELECT d.datname FROM pg_database AS d WHERE d.oid = l.database) || ':' || l.relation::text
       END AS relation,
       b.blocked_by,
       b.root_blocker,
       left(md5(regexp_replace(s.query, '''[^'']*''|[0-9]+', '?', 'g')), 16) AS fingerprint,
       NULL AS gid
FROM pg_stat_activity AS s
LEFT JOIN blocked AS b ON b.pid = s.pid
LEFT JOIN LATERAL (
    SELECT k.locktype, k.database, k.relation
    FROM pg_locks AS k
    WHERE k.pid = s.pid AND NOT k.granted
    LIMIT 1
) AS l ON s.wait_event_type = 'Lock'
WHERE b.pid IS NOT NULL
   OR s.pid IN (SELECT e.blocker FROM edge AS e)
UNION ALL
SELECT 0, p.owner, '', p.database, 'prepared',
       greatest(extract(epoch FROM clock_timestamp() - p.prepared), 0)::float8,
       NULL, NULL, NULL, NULL, NULL, NULL, p.gid
FROM prepared AS p
ORDER BY root_blocker NULLS FIRST, wait_seconds DESC NULLS LAST, transaction_seconds DESC NULLS LAST
LIMIT 500
