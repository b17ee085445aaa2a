/* ---
description: Data quality, citizens with neither mail address nor telephone.
interval: 5m
timeout: 5s
scope: database
databases: [marseille*]  # in the others there are no such views
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: database, rule: =contact_missing}}
--- */
SELECT violations FROM qualite.v_contacts_manquants
