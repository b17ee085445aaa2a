/* ---
description: Memory of the server by area, as it counts it itself.
interval: 5m
max_series: 40
needs: [performance_schema]
metrics:
  dbwatch_mysql_memory_bytes: {value: used_bytes, labels: {area: area}}
--- */
-- @when mariadb
-- Its performance_schema is off by default: the status instead. InnoDB's buffer pool is in none of the three.
SELECT CASE s.variable_name WHEN 'MEMORY_USED' THEN 'server'
                            WHEN 'INNODB_MEM_DICTIONARY' THEN 'innodb_dictionary'
                            ELSE 'innodb_adaptive_hash' END AS area,
       s.variable_value + 0 AS used_bytes
FROM information_schema.global_status AS s
WHERE s.variable_name IN ('MEMORY_USED', 'INNODB_MEM_DICTIONARY', 'INNODB_MEM_ADAPTIVE_HASH')
-- @when not mariadb and setting performance_schema = ON
-- memory/innodb/buf_buf_pool is innodb, others likewise by the second part of their name; those not in use are left out.
SELECT SUBSTRING_INDEX(SUBSTRING_INDEX(m.event_name, '/', 2), '/', -1) AS area,
       GREATEST(0, SUM(m.current_number_of_bytes_used)) AS used_bytes
FROM performance_schema.memory_summary_global_by_event_name AS m
GROUP BY 1
HAVING used_bytes > 0
