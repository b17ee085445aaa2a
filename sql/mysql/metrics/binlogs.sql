/* ---
description: Files of the binary log, and their size.
interval: 5m
max_series: 2
needs: [binlog]
metrics:
  dbwatch_mysql_binlog_files: {value: files}
  dbwatch_log_size_bytes: {value: size_bytes, labels: {log: =binlog}}
--- */
-- A row a file, and each file is looked at: not more often than every few minutes. dbwatch adds them up.
-- @when setting log_bin = ON
SHOW BINARY LOGS
