/* ---
description: How many sessions the server admits.
interval: 60s
max_series: 2
metrics:
  dbwatch_sessions_max: {value: sessions_max}
  dbwatch_sessions_reserved: {value: sessions_reserved}
--- */
-- reserved_connections came with PostgreSQL 16; where a setting is unknown the answer is NULL, not an error.
SELECT current_setting('max_connections')::bigint AS sessions_max,
       current_setting('superuser_reserved_connections')::bigint
       + coalesce(current_setting('reserved_connections', true)::bigint, 0) AS sessions_reserved
