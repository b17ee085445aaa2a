/* ---
description: Data quality, plots whose number names another district than their file.
interval: 5m
timeout: 5s
scope: database
databases: [marseille*]  # in the others there are no such views
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: database, rule: =plots_of_another_district}}
--- */
SELECT violations FROM qualite.v_parcelles_hors_arrondissement
