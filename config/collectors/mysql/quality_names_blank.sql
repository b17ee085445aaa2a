/* ---
description: Data quality, names that are there, and empty.
interval: 5m
timeout: 5s
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: =marseille_metier, rule: =names_blank}}
--- */
SELECT violations FROM marseille_qualite.v_noms_vides
