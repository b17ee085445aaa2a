/* ---
description: Client sessions by whether they are encrypted, and where the server offers TLS.
interval: 60s
max_series: 6
needs: [instruments]
metrics:
  dbwatch_sessions_tls: {value: sessions, labels: {encrypted: encrypted}}
  dbwatch_mysql_tls_channel_enabled: {value: enabled, labels: {interface: interface}, enum: {"Yes": 1, "No": 0}}
--- */
-- @when mariadb and setting performance_schema = ON
-- Without its performance_schema MariaDB tells nobody whether another session is encrypted.
SELECT c.encrypted, COUNT(t.thread_id) AS sessions, NULL AS interface, NULL AS enabled
FROM (SELECT 'yes' AS encrypted UNION ALL SELECT 'no' UNION ALL SELECT 'local') AS c
LEFT JOIN performance_schema.threads AS t
       ON t.type = 'FOREGROUND' AND t.connection_type IS NOT NULL
      AND t.processlist_user <> SUBSTRING_INDEX(USER(), '@', 1)
      AND c.encrypted = CASE t.connection_type WHEN 'SSL/TLS' THEN 'yes' WHEN 'TCP/IP' THEN 'no' ELSE 'local' END
GROUP BY c.encrypted
-- @when not mariadb and setting performance_schema = ON
SELECT c.encrypted, COUNT(t.thread_id) AS sessions, NULL AS interface, NULL AS enabled
FROM (SELECT 'yes' AS encrypted UNION ALL SELECT 'no' UNION ALL SELECT 'local') AS c
LEFT JOIN performance_schema.threads AS t
       ON t.type = 'FOREGROUND' AND t.connection_type IS NOT NULL
      AND t.processlist_user <> SUBSTRING_INDEX(USER(), '@', 1)
      AND c.encrypted = CASE t.connection_type WHEN 'SSL/TLS' THEN 'yes' WHEN 'TCP/IP' THEN 'no' ELSE 'local' END
GROUP BY c.encrypted
UNION ALL
SELECT NULL, NULL, s.channel, s.value
FROM performance_schema.tls_channel_status AS s
WHERE s.property = 'Enabled'
