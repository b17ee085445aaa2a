/* ---
description: Bytes written to redo log and binary log; the redo log's checkpoint age and size.
interval: 60s
max_series: 8
needs: [performance_schema]
metrics:
  dbwatch_log_written_bytes_total:
    - {value: redo_written, labels: {log: =redo}}
    - {value: binlog_written, labels: {log: =binlog}}
  dbwatch_mysql_checkpoint_age_bytes: {value: checkpoint_age}
  dbwatch_mysql_checkpoint_age_max_bytes: {value: checkpoint_age_max}
  dbwatch_mysql_redo_unflushed_bytes: {value: unflushed}
  dbwatch_mysql_redo_log_capacity_bytes: {value: capacity}
  dbwatch_mysql_redo_log_size_bytes: {value: size}
--- */
-- @when mariadb
SELECT MAX(IF(s.variable_name = 'INNODB_OS_LOG_WRITTEN', s.variable_value, NULL)) + 0 AS redo_written,
       MAX(IF(s.variable_name = 'BINLOG_BYTES_WRITTEN', s.variable_value, NULL)) + 0 AS binlog_written,
       MAX(IF(s.variable_name = 'INNODB_CHECKPOINT_AGE', s.variable_value, NULL)) + 0 AS checkpoint_age,
       MAX(IF(s.variable_name = 'INNODB_CHECKPOINT_MAX_AGE', s.variable_value, NULL)) + 0 AS checkpoint_age_max,
       GREATEST(0, MAX(IF(s.variable_name = 'INNODB_LSN_CURRENT', s.variable_value, NULL))
                 - MAX(IF(s.variable_name = 'INNODB_LSN_FLUSHED', s.variable_value, NULL))) AS unflushed,
       @@global.innodb_log_file_size AS capacity,
       -- One file, as big as it may be from the start.
       @@global.innodb_log_file_size AS size
FROM information_schema.global_status AS s
WHERE s.variable_name IN ('INNODB_OS_LOG_WRITTEN', 'BINLOG_BYTES_WRITTEN', 'INNODB_CHECKPOINT_AGE',
                          'INNODB_CHECKPOINT_MAX_AGE', 'INNODB_LSN_CURRENT', 'INNODB_LSN_FLUSHED')
-- @when not mariadb and setting performance_schema = ON
-- From 8.0.30 on the server tells the positions of the redo log; before, only Percona's tells the age, and the capacity
-- is that of a number of files. The bytes of the binary log are those that performance_schema saw written: unknown where
-- its instrument is off.
SELECT MAX(IF(s.variable_name = 'Innodb_os_log_written', s.variable_value, NULL)) + 0 AS redo_written,
       (
           SELECT MAX(f.sum_number_of_bytes_write)
           FROM performance_schema.file_summary_by_event_name AS f
           JOIN performance_schema.setup_instruments AS i ON i.name = f.event_name
           WHERE f.event_name = 'wait/io/file/sql/binlog' AND i.enabled = 'YES'
       ) AS binlog_written,
       COALESCE(GREATEST(0, MAX(IF(s.variable_name = 'Innodb_redo_log_current_lsn', s.variable_value, NULL))
                          - MAX(IF(s.variable_name = 'Innodb_redo_log_checkpoint_lsn', s.variable_value, NULL))),
                MAX(IF(s.variable_name = 'Innodb_checkpoint_age', s.variable_value, NULL)) + 0) AS checkpoint_age,
       MAX(IF(s.variable_name = 'Innodb_checkpoint_max_age', s.variable_value, NULL)) + 0 AS checkpoint_age_max,
       GREATEST(0, MAX(IF(s.variable_name = 'Innodb_redo_log_current_lsn', s.variable_value, NULL))
                 - MAX(IF(s.variable_name = 'Innodb_redo_log_flushed_to_disk_lsn', s.variable_value, NULL)))
           AS unflushed,
       COALESCE(MAX(IF(s.variable_name = 'Innodb_redo_log_capacity_resized', s.variable_value, NULL)) + 0, (
           SELECT MAX(IF(v.variable_name = 'innodb_log_file_size', v.variable_value, NULL))
                * MAX(IF(v.variable_name = 'innodb_log_files_in_group', v.variable_value, NULL))
           FROM performance_schema.global_variables AS v
           WHERE v.variable_name IN ('innodb_log_file_size', 'innodb_log_files_in_group')
       )) AS capacity,
       MAX(IF(s.variable_name = 'Innodb_redo_log_physical_size', s.variable_value, NULL)) + 0 AS size
FROM performance_schema.global_status AS s
WHERE s.variable_name IN ('Innodb_os_log_written', 'Innodb_redo_log_current_lsn', 'Innodb_redo_log_checkpoint_lsn',
                          'Innodb_checkpoint_age', 'Innodb_checkpoint_max_age', 'Innodb_redo_log_flushed_to_disk_lsn',
                          'Innodb_redo_log_capacity_resized', 'Innodb_redo_log_physical_size')
