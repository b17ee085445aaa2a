/* ---
description: Data quality, plots whose number names another district than their file.
interval: 5m
timeout: 5s
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: =marseille_metier, rule: =plots_of_another_district}}
--- */
SELECT violations FROM marseille_qualite.v_parcelles_hors_arrondissement
