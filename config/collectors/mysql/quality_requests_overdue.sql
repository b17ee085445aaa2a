/* ---
description: Data quality, requests that wait longer than their department promises.
interval: 5m
timeout: 5s
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: =marseille_metier, rule: =requests_overdue}}
--- */
SELECT violations FROM marseille_qualite.v_demandes_en_retard
