/* ---
description: The collations that this server can use, by provider.
timeout: 10s
--- */
SELECT DISTINCT c.collprovider::text AS provider, coalesce(c.collcollate, '') AS name
FROM pg_collation AS c
