/* ---
description: Time that the server's own instruments counted in waits, by class.
interval: 60s
max_series: 16
needs: [instruments]
metrics:
  dbwatch_wait_seconds_total: {value: picoseconds, labels: {wait_class: wait_class}, scale: 1.0e-12}
  dbwatch_waits_total: {value: waits, labels: {wait_class: wait_class}}
--- */
-- Only instruments that are switched on and timed: mutexes, conditions and sockets are off as both servers are shipped,
-- metadata locks on MariaDB too. A class of which none is on has no row: nobody measured it. The instrument `idle` is
-- the time between two statements of a client, which is no wait.
-- @when setting performance_schema = ON
SELECT CASE
           WHEN i.name LIKE 'wait/io/file/%' THEN 'io'
           WHEN i.name LIKE 'wait/io/table/%' THEN 'table_io'
           WHEN i.name LIKE 'wait/lock/metadata/%' THEN 'metadata_lock'
           WHEN i.name LIKE 'wait/lock/%' THEN 'table_lock'
           WHEN i.name LIKE 'wait/synch/mutex/%' THEN 'mutex'
           WHEN i.name LIKE 'wait/synch/cond/%' THEN 'condition'
           WHEN i.name LIKE 'wait/synch/%' THEN 'rwlock'
           WHEN i.name LIKE 'wait/io/socket/%' THEN 'client'
           ELSE 'other' END AS wait_class,
       SUM(e.sum_timer_wait) AS picoseconds,
       SUM(e.count_star) AS waits
FROM performance_schema.setup_instruments AS i
JOIN performance_schema.events_waits_summary_global_by_event_name AS e ON e.event_name = i.name
WHERE i.name LIKE 'wait/%' AND i.enabled = 'YES' AND i.timed = 'YES'
GROUP BY 1
