/* ---
description: How many sessions the server admits.
interval: 60s
max_series: 1
metrics:
  dbwatch_sessions_max: {value: sessions_max}
--- */
-- One more is admitted, beyond this number, for an administrator.
SELECT @@global.max_connections AS sessions_max
