/* ---
description: Time and bytes of the server's file I/O, by kind of file.
interval: 60s
max_series: 40
needs: [instruments]
metrics:
  dbwatch_mysql_file_io_seconds_total:
    - {value: read_picoseconds, labels: {class: class, operation: =read}, scale: 1.0e-12}
    - {value: write_picoseconds, labels: {class: class, operation: =write}, scale: 1.0e-12}
    - {value: other_picoseconds, labels: {class: class, operation: =other}, scale: 1.0e-12}
  dbwatch_mysql_file_io_bytes_total:
    - {value: read_bytes, labels: {class: class, operation: =read}}
    - {value: written_bytes, labels: {class: class, operation: =write}}
--- */
-- MariaDB does not instrument its redo log: that class is absent there.
-- @when setting performance_schema = ON
SELECT CASE
           WHEN f.event_name IN ('wait/io/file/innodb/innodb_data_file',
                                 'wait/io/file/innodb/innodb_tablespace_open_file') THEN 'data'
           WHEN f.event_name = 'wait/io/file/innodb/innodb_dblwr_file' THEN 'doublewrite'
           WHEN f.event_name = 'wait/io/file/innodb/innodb_log_file' THEN 'redo'
           WHEN f.event_name LIKE 'wait/io/file/sql/binlog%' THEN 'binlog'
           WHEN f.event_name LIKE 'wait/io/file/sql/relay%' THEN 'relay_log'
           WHEN f.event_name IN ('wait/io/file/innodb/innodb_temp_file', 'wait/io/file/sql/io_cache',
                                 'wait/io/file/sql/hash_join', 'wait/io/file/myisam/data_tmp') THEN 'temporary'
           ELSE 'other' END AS class,
       SUM(f.sum_timer_read) AS read_picoseconds,
       SUM(f.sum_timer_write) AS write_picoseconds,
       -- Opening, closing, stretching, and the sync that makes a commit durable.
       SUM(f.sum_timer_misc) AS other_picoseconds,
       SUM(f.sum_number_of_bytes_read) AS read_bytes,
       SUM(f.sum_number_of_bytes_write) AS written_bytes
FROM performance_schema.setup_instruments AS i
JOIN performance_schema.file_summary_by_event_name AS f ON f.event_name = i.name
WHERE i.name LIKE 'wait/io/file/%' AND i.enabled = 'YES' AND i.timed = 'YES'
GROUP BY 1
