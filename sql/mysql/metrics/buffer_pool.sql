/* ---
description: InnoDB's buffer pool by state of its pages, in bytes.
interval: 60s
max_series: 4
metrics:
  dbwatch_mysql_buffer_pool_bytes:
    - {value: clean_bytes, labels: {state: =clean}}
    - {value: dirty_bytes, labels: {state: =dirty}}
    - {value: free_bytes, labels: {state: =free}}
    - {value: misc_bytes, labels: {state: =misc}}
--- */
-- Misc is what is left: the server's own figure wraps around where pages are compressed.
-- @when mariadb
SELECT (p.data - p.dirty) * p.page_size AS clean_bytes,
       p.dirty * p.page_size AS dirty_bytes,
       p.free * p.page_size AS free_bytes,
       GREATEST(0, p.total - p.data - p.free) * p.page_size AS misc_bytes
FROM (
    SELECT MAX(IF(s.variable_name = 'INNODB_BUFFER_POOL_PAGES_TOTAL', s.variable_value, NULL)) + 0 AS total,
           MAX(IF(s.variable_name = 'INNODB_BUFFER_POOL_PAGES_DATA', s.variable_value, NULL)) + 0 AS data,
           MAX(IF(s.variable_name = 'INNODB_BUFFER_POOL_PAGES_DIRTY', s.variable_value, NULL)) + 0 AS dirty,
           MAX(IF(s.variable_name = 'INNODB_BUFFER_POOL_PAGES_FREE', s.variable_value, NULL)) + 0 AS free,
           @@global.innodb_page_size AS page_size
    FROM information_schema.global_status AS s
    WHERE s.variable_name IN ('INNODB_BUFFER_POOL_PAGES_TOTAL', 'INNODB_BUFFER_POOL_PAGES_DATA',
                              'INNODB_BUFFER_POOL_PAGES_DIRTY', 'INNODB_BUFFER_POOL_PAGES_FREE')
) AS p
-- @when not mariadb
SELECT (p.data - p.dirty) * p.page_size AS clean_bytes,
       p.dirty * p.page_size AS dirty_bytes,
       p.free * p.page_size AS free_bytes,
       GREATEST(0, p.total - p.data - p.free) * p.page_size AS misc_bytes
FROM (
    SELECT MAX(IF(s.variable_name = 'Innodb_buffer_pool_pages_total', s.variable_value, NULL)) + 0 AS total,
           MAX(IF(s.variable_name = 'Innodb_buffer_pool_pages_data', s.variable_value, NULL)) + 0 AS data,
           MAX(IF(s.variable_name = 'Innodb_buffer_pool_pages_dirty', s.variable_value, NULL)) + 0 AS dirty,
           MAX(IF(s.variable_name = 'Innodb_buffer_pool_pages_free', s.variable_value, NULL)) + 0 AS free,
           @@global.innodb_page_size AS page_size
    FROM performance_schema.global_status AS s
    WHERE s.variable_name IN ('Innodb_buffer_pool_pages_total', 'Innodb_buffer_pool_pages_data',
                              'Innodb_buffer_pool_pages_dirty', 'Innodb_buffer_pool_pages_free')
) AS p
