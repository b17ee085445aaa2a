/* ---
description: Data quality, pairs of appointments of one citizen at the same time.
interval: 5m
timeout: 5s
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: =marseille_metier, rule: =appointments_overlapping}}
--- */
SELECT violations FROM marseille_qualite.v_rendez_vous_chevauchants
