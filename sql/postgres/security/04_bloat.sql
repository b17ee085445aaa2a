-- Optional: how much of the largest tables and indexes is empty. Run in each database, as a superuser. Idempotent.
CREATE EXTENSION IF NOT EXISTS pgstattuple SCHEMA public;
-- Where the schema was closed to everybody, as it should be.
GRANT USAGE ON SCHEMA public TO dbwatch;
