/* ---
description: Data quality, citizens with neither mail address nor telephone.
interval: 5m
timeout: 5s
max_series: 20
metrics:
  dbwatch_data_quality_violations: {value: violations, labels: {database: =marseille_metier, rule: =contact_missing}}
--- */
SELECT violations FROM marseille_qualite.v_contacts_manquants
