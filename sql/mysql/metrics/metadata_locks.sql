/* ---
description: Who waits for a metadata lock (ALTER TABLE behind a forgotten transaction), and behind how many.
interval: 15s
max_series: 6
needs: [process, performance_schema]
metrics:
  dbwatch_mysql_metadata_lock_waits:
    - {value: on_tables, labels: {lock: =table}}
    - {value: on_schemas, labels: {lock: =schema}}
    - {value: on_everything, labels: {lock: =global}}
    - {value: on_others, labels: {lock: =other}}
  dbwatch_mysql_metadata_lock_wait_longest_seconds: {value: longest_seconds}
  dbwatch_mysql_metadata_lock_blockers: {value: blockers}
--- */
-- @when mariadb
-- Who blocks is known only to a plugin (metadata_lock_info) that is not there as shipped: absent.
SELECT COALESCE(SUM(w.state = 'Waiting for table metadata lock'), 0) AS on_tables,
       COALESCE(SUM(w.state = 'Waiting for schema metadata lock'), 0) AS on_schemas,
       COALESCE(SUM(w.state IN ('Waiting for global read lock', 'Waiting for backup lock')), 0) AS on_everything,
       COALESCE(SUM(w.state NOT IN ('Waiting for table metadata lock', 'Waiting for schema metadata lock',
                                    'Waiting for global read lock', 'Waiting for backup lock')), 0) AS on_others,
       COALESCE(GREATEST(MAX(w.time_ms), 0) / 1000, 0) AS longest_seconds,
       NULL AS blockers
FROM information_schema.processlist AS w
WHERE w.state LIKE 'Waiting for%metadata lock'
   OR w.state IN ('Waiting for global read lock', 'Waiting for backup lock', 'Waiting for commit lock')
-- @when not mariadb and setting performance_schema = ON
-- The locks are entered from those who wait, by index: where nobody waits they are not read. Above 300 waiters they
-- are not either, and the number of blockers is absent.
WITH waiting AS (
    SELECT PS_THREAD_ID(p.id) AS thread_id, p.time AS seconds, p.state
    FROM performance_schema.processlist AS p
    WHERE p.state LIKE 'Waiting for%metadata lock'
       OR p.state IN ('Waiting for global read lock', 'Waiting for backup lock', 'Waiting for commit lock')
    LIMIT 100000
)
SELECT COALESCE(SUM(w.state = 'Waiting for table metadata lock'), 0) AS on_tables,
       COALESCE(SUM(w.state = 'Waiting for schema metadata lock'), 0) AS on_schemas,
       COALESCE(SUM(w.state IN ('Waiting for global read lock', 'Waiting for backup lock')), 0) AS on_everything,
       COALESCE(SUM(w.state NOT IN ('Waiting for table metadata lock', 'Waiting for schema metadata lock',
                                    'Waiting for global read lock', 'Waiting for backup lock')), 0) AS on_others,
       COALESCE(GREATEST(MAX(w.seconds), 0), 0) AS longest_seconds,
       IF(COUNT(*) > 300, NULL, (
           -- An exclusive request waits for all who hold the object; others for whoever holds it exclusively, or nearly.
           SELECT COUNT(DISTINCT b.owner_thread_id)
           FROM waiting AS q
           STRAIGHT_JOIN performance_schema.metadata_locks AS m
                      ON m.owner_thread_id = q.thread_id AND m.lock_status = 'PENDING'
           STRAIGHT_JOIN performance_schema.metadata_locks AS b
                      ON b.object_type = m.object_type AND b.object_schema <=> m.object_schema
                     AND b.object_name <=> m.object_name AND b.owner_thread_id <> m.owner_thread_id
           WHERE (SELECT COUNT(*) FROM waiting AS n) <= 300
             AND b.lock_status = 'GRANTED' AND b.owner_thread_id NOT IN (SELECT n.thread_id FROM waiting AS n)
             AND (m.lock_type = 'EXCLUSIVE' OR b.lock_type IN ('EXCLUSIVE', 'SHARED_NO_READ_WRITE', 'SHARED_NO_WRITE'))
       )) AS blockers
FROM waiting AS w
