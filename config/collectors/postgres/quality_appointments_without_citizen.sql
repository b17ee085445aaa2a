/* ---
description: Data quality, appointments still to be kept, of a file that names nobody any more.
interval: 5m
timeout: 5s
scope: database
databases: [marseille*]  # in the others there are no such views
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: database, rule: =appointments_without_citizen}}
--- */
SELECT violations FROM qualite.v_rendez_vous_sans_citoyen
