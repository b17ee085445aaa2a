/* ---
description: Settings of the server as numbers, those that wait for a restart, and one hash of them all.
interval: 5m
max_series: 400
needs: [pg_monitor, all_settings]
metrics:
  dbwatch_setting_value: {value: value, labels: {name: name}}
  dbwatch_setting_pending_restart: {value: pending_restart, labels: {name: name}}
  dbwatch_settings_hash_info: {value: hashed, labels: {hash: hash}}
  dbwatch_pg_config_load_timestamp_seconds: {value: loaded_at}
--- */
-- reset_val is what a new session begins with: what ours SETs for itself does not show. What came with our login, or
-- is set for our account or our database alone, hides the server's value, and is left out.
WITH known AS MATERIALIZED (
    SELECT s.name, s.reset_val, s.unit, s.vartype, s.category, s.source, s.pending_restart
    FROM pg_settings AS s
    WHERE s.source NOT IN ('client', 'user', 'database', 'database user')
      AND s.name NOT IN (
          SELECT split_part(o.assignment, '=', 1)
          FROM pg_db_role_setting AS r
          CROSS JOIN LATERAL unnest(r.setconfig) AS o (assignment)
          WHERE (r.setrole <> 0 OR r.setdatabase <> 0)
            AND r.setrole IN (0, to_regrole(quote_ident(session_user)))
            AND r.setdatabase IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
      )
),
-- Numbers and switches, in bytes and seconds. Without what nobody changes (developers' and preset options, locale,
-- the planner's methods, compatibility) and what is no number (file modes in octal).
shown AS (
    SELECT k.name,
           CASE k.vartype WHEN 'bool' THEN (k.reset_val = 'on')::integer::float8 ELSE k.reset_val::float8 END AS number,
           coalesce(nullif(substring(k.unit FROM '^[0-9]+'), '')::float8, 1)
           * CASE substring(k.unit FROM '[A-Za-z]+$')
                 WHEN 'kB' THEN 1024
                 WHEN 'MB' THEN 1048576
                 WHEN 'GB' THEN 1073741824
                 WHEN 'us' THEN 0.000001
                 WHEN 'ms' THEN 0.001
                 WHEN 'min' THEN 60
                 WHEN 'h' THEN 3600
                 WHEN 'd' THEN 86400
                 ELSE 1
             END AS factor
    FROM known AS k
    WHERE k.vartype IN ('bool', 'integer', 'real')
      AND k.reset_val IS NOT NULL
      AND (k.name IN ('block_size', 'data_checksums', 'wal_segment_size', 'allow_system_table_mods',
                      'ignore_checksum_failure', 'ignore_system_indexes', 'zero_damaged_pages')
           OR (k.category NOT IN ('Preset Options', 'Developer Options', 'Query Tuning / Genetic Query Optimizer',
                                  'Query Tuning / Planner Method Configuration', 'Statistics / Monitoring',
                                  'Client Connection Defaults / Locale and Formatting',
                                  'Client Connection Defaults / Other Defaults', 'Reporting and Logging / Process Title',
                                  'Write-Ahead Log / Recovery Target')
               AND k.category NOT LIKE 'Version and Platform Compatibility%'
               AND k.name !~ '^(transaction_(isolation|read_only|deferrable)$|debug_|syslog_)|_mode$'
               AND k.name NOT IN ('bonjour', 'check_function_bodies', 'event_triggers', 'exit_on_error',
                                  'krb_caseins_users', 'port', 'row_security', 'unix_socket_permissions')))
)
SELECT h.name,
       -- A number below zero has a meaning (no limit, off, as another setting says) and no unit.
       CASE WHEN h.number < 0 THEN h.number ELSE h.number * h.factor END AS value,
       NULL::integer AS pending_restart,
       NULL::text AS hash,
       NULL::integer AS hashed,
       NULL::float8 AS loaded_at
FROM shown AS h
UNION ALL
SELECT k.name, NULL, 1, NULL, NULL, NULL
FROM known AS k
WHERE k.pending_restart
UNION ALL
-- Text too. The version is told elsewhere; an extension's options exist only once a session has loaded it, and count
-- where somebody set them.
SELECT NULL, NULL, NULL, md5(string_agg(k.name || '=' || coalesce(k.reset_val, ''), chr(10) ORDER BY k.name COLLATE "C")),
       1, extract(epoch FROM pg_conf_load_time())
FROM known AS k
WHERE k.category <> 'Preset Options'
  AND (k.category <> 'Customized Options' OR k.source <> 'default')
