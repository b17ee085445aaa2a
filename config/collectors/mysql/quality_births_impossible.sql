/* ---
description: Data quality, citizens born tomorrow, or 120 years ago.
interval: 5m
timeout: 5s
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: =marseille_metier, rule: =births_impossible}}
--- */
SELECT violations FROM marseille_qualite.v_naissances_impossibles
