/* ---
description: Data quality, town planning files open past their legal deadline.
interval: 5m
timeout: 5s
scope: database
databases: [marseille*]  # in the others there are no such views
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: database, rule: =planning_overdue}}
--- */
SELECT violations FROM qualite.v_urbanisme_hors_delai
