/* ---
description: Data quality, requests that are planned, without an appointment that stands.
interval: 5m
timeout: 5s
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: =marseille_metier, rule: =requests_without_appointment}}
--- */
SELECT violations FROM marseille_qualite.v_demandes_sans_rendez_vous
