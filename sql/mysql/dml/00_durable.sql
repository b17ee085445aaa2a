-- What was loaded without care for power cuts, because that is faster, is kept with care from now on.

-- name: innodb_flush_log_at_trx_commit
SET GLOBAL innodb_flush_log_at_trx_commit = 1;
