/* ---
description: Data quality, names that are there, and empty.
interval: 5m
timeout: 5s
scope: database
databases: [marseille*]  # in the others there are no such views
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: database, rule: =names_blank}}
--- */
SELECT violations FROM qualite.v_noms_vides
