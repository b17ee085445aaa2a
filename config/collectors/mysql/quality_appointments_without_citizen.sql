/* ---
description: Data quality, appointments still to be kept, of a file that names nobody any more.
interval: 5m
timeout: 5s
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: =marseille_metier, rule: =appointments_without_citizen}}
--- */
SELECT violations FROM marseille_qualite.v_rendez_vous_sans_citoyen
