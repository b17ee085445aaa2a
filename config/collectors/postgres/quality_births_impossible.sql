/* ---
description: Data quality, citizens born tomorrow, or 120 years ago.
interval: 5m
timeout: 5s
scope: database
databases: [marseille*]  # in the others there are no such views
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: database, rule: =births_impossible}}
--- */
SELECT violations FROM qualite.v_naissances_impossibles
