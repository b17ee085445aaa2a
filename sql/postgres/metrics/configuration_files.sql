/* ---
description: Lines of the configuration files that the server cannot use, where we may read them.
interval: 15m
max_series: 2
metrics:
  dbwatch_pg_configuration_errors:
    - {value: settings_errors, labels: {file: =settings}}
    - {value: hba_errors, labels: {file: =hba}}
--- */
-- @when probe file_settings and probe hba_file_rules
-- A setting that waits for a restart is an error here, and dbwatch_setting_pending_restart there.
SELECT (SELECT count(*)
        FROM pg_show_all_file_settings() AS f
        WHERE f.error IS NOT NULL
          AND NOT EXISTS (SELECT FROM pg_settings AS g WHERE g.name = f.name AND g.pending_restart)) AS settings_errors,
       (SELECT count(*) FROM pg_hba_file_rules() AS h WHERE h.error IS NOT NULL) AS hba_errors
