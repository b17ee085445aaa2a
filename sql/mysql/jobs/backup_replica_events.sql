/* ---
description: The events that do not run here because the server is a replica, or was one when they were made.
timeout: 60s
--- */
-- SLAVESIDE_DISABLED; MySQL 9 says REPLICA_SIDE_DISABLED.
SELECT e.event_schema AS `database`,
       e.event_name AS name
FROM information_schema.events AS e
WHERE e.status LIKE '%SIDE!_DISABLED' ESCAPE '!'
ORDER BY e.event_schema, e.event_name
