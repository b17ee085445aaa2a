/* ---
description: Other accounts' sessions, transactions and InnoDB's own tables are visible.
grant: {any: "GRANT PROCESS ON *.* TO {user};"}
--- */
-- Without PROCESS the process list is cut to our own sessions without a word; InnoDB's tables refuse instead.
SELECT COUNT(*) >= 0 AS visible
FROM information_schema.innodb_metrics AS m
WHERE m.name = 'lock_deadlocks'
