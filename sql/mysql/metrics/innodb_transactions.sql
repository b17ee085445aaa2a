/* ---
description: The rows that InnoDB's open transactions hold, and those of them that no session holds.
interval: 10s
max_series: 4
needs: [process]
metrics:
  dbwatch_mysql_transaction_rows_locked_max: {value: rows_locked}
  dbwatch_mysql_transaction_rows_modified_max: {value: rows_modified}
  dbwatch_mysql_detached_transactions: {value: detached}
  dbwatch_mysql_detached_transaction_oldest_seconds: {value: detached_seconds}
--- */
-- No session, thread 0: prepared (XA) by a client that is gone, or found after a crash. InnoDB's own work has none either:
-- it takes an instant, or says what it does (FULLTEXT). An applier of replication, and MariaDB's client that is still
-- there after its XA PREPARE, have a thread.
SELECT COALESCE(MAX(s.trx_rows_locked), 0) AS rows_locked,
       COALESCE(MAX(s.trx_rows_modified), 0) AS rows_modified,
       COALESCE(SUM(s.detached), 0) AS detached,
       COALESCE(MAX(IF(s.detached, s.seconds, NULL)), 0) AS detached_seconds
FROM (
    SELECT t.trx_rows_locked, t.trx_rows_modified, t.seconds,
           t.trx_mysql_thread_id = 0 AND COALESCE(t.trx_operation_state, '') = '' AND t.seconds >= 5 AS detached
    FROM (
        SELECT n.trx_rows_locked, n.trx_rows_modified, n.trx_mysql_thread_id, n.trx_operation_state,
               UNIX_TIMESTAMP() - UNIX_TIMESTAMP(n.trx_started) AS seconds
        FROM information_schema.innodb_trx AS n
    ) AS t
) AS s
