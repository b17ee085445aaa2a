/* ---
description: Data quality, requests that wait longer than their department promises.
interval: 5m
timeout: 5s
scope: database
databases: [marseille*]  # in the others there are no such views
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: database, rule: =requests_overdue}}
--- */
SELECT violations FROM qualite.v_demandes_en_retard
