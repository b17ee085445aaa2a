/* ---
description: The extension pg_buffercache is in the monitoring database (optional; PostgreSQL 16 or later).
grant: {any: "/* in the database {database} */ CREATE EXTENSION IF NOT EXISTS pg_buffercache;"}
--- */
SELECT EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'pg_buffercache') AS created
