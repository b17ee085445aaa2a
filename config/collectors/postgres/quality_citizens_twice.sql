/* ---
description: Data quality, files beyond the first of the same name and day of birth.
interval: 5m
timeout: 5s
scope: database
databases: [marseille*]  # in the others there are no such views
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: database, rule: =citizens_twice}}
--- */
SELECT violations FROM qualite.v_citoyens_en_double
