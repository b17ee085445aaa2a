/* ---
description: Messages in the server's own log by severity, where its files are on dbwatch's machine (host = local).
interval: 60s
source: host
needs: [pg_monitor, server_directories, all_settings]
max_series: 5
metrics:
  dbwatch_pg_log_messages_total: {value: messages, labels: {severity: severity}}
  dbwatch_pg_log_skipped_bytes_total: {value: skipped_bytes}
--- */
-- The server only names the file of each format that it writes, and itself by the process of this session: dbwatch then
-- reads on from where it was, and gives the columns above. A file that it may not read is told, and nothing is counted.
-- @when postgres >= 17 and setting logging_collector = on
SELECT 'backend_pid' AS fact, '' AS purpose, pg_backend_pid()::text AS value
UNION ALL
SELECT 'started_at', '', extract(epoch FROM a.backend_start)::text
FROM pg_stat_activity AS a
WHERE a.pid = pg_backend_pid()
UNION ALL
SELECT 'place', 'data', current_setting('data_directory')
UNION ALL
SELECT 'log_destination', '', current_setting('log_destination')
UNION ALL
SELECT 'lc_messages', '', current_setting('lc_messages')
UNION ALL
SELECT 'log', f.format, pg_current_logfile(f.format)
FROM (VALUES ('jsonlog'), ('csvlog'), ('stderr')) AS f (format)
-- Before version 17 pg_monitor may not call pg_current_logfile(): it is the file written last of those that log_filename
-- could name.
-- @when postgres < 17 and setting logging_collector = on
SELECT 'backend_pid' AS fact, '' AS purpose, pg_backend_pid()::text AS value
UNION ALL
SELECT 'started_at', '', extract(epoch FROM a.backend_start)::text
FROM pg_stat_activity AS a
WHERE a.pid = pg_backend_pid()
UNION ALL
SELECT 'place', 'data', current_setting('data_directory')
UNION ALL
SELECT 'log_destination', '', current_setting('log_destination')
UNION ALL
SELECT 'lc_messages', '', current_setting('lc_messages')
UNION ALL
SELECT 'log', n.format, current_setting('log_directory') || '/' || (
           SELECT l.name FROM pg_ls_logdir() AS l WHERE l.name LIKE n.name ORDER BY l.modification DESC, l.name DESC LIMIT 1
       )
FROM (
    SELECT f.format, regexp_replace(regexp_replace(current_setting('log_filename'), '%.', '%', 'g'), f.ending, f.instead) AS name
    FROM (
        VALUES ('jsonlog', '([.]log)?$', '.json'), ('csvlog', '([.]log)?$', '.csv'), ('stderr', '$', '')
    ) AS f (format, ending, instead)
    WHERE f.format = ANY (string_to_array(replace(lower(current_setting('log_destination')), ' ', ''), ','))
) AS n
