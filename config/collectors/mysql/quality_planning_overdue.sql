/* ---
description: Data quality, town planning files open past their legal deadline.
interval: 5m
timeout: 5s
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: =marseille_metier, rule: =planning_overdue}}
--- */
SELECT violations FROM marseille_qualite.v_urbanisme_hors_delai
