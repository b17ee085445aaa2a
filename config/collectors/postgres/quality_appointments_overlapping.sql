/* ---
description: Data quality, pairs of appointments of one citizen at the same time.
interval: 5m
timeout: 5s
scope: database
databases: [marseille*]  # in the others there are no such views
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: database, rule: =appointments_overlapping}}
--- */
SELECT violations FROM qualite.v_rendez_vous_chevauchants
