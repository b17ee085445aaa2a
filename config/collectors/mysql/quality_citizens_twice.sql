/* ---
description: Data quality, files beyond the first of the same name and day of birth.
interval: 5m
timeout: 5s
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: =marseille_metier, rule: =citizens_twice}}
--- */
SELECT violations FROM marseille_qualite.v_citoyens_en_double
