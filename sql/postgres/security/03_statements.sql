-- Optional: the statements that take most time. Run in the database that dbwatch logs in to, as a superuser. Idempotent.
-- It wants shared_preload_libraries = 'pg_stat_statements' in postgresql.conf, and a restart.
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
