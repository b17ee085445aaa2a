-- The parameters of the other scripts. The demonstration fills in the placeholders; by hand, write the values:
--     SET @dbwatch_scale = '1', @dbwatch_reference_date = '2026-01-05', @dbwatch_monitoring_password = '…', …
SET @dbwatch_scale = %(scale)s,
    @dbwatch_reference_date = %(reference_date)s,
    @dbwatch_application_password = %(application_password)s,
    @dbwatch_reporting_password = %(reporting_password)s,
    @dbwatch_monitoring_password = %(monitoring_password)s,
    @dbwatch_backup_password = %(backup_password)s
