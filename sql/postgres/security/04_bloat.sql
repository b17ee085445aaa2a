-- Optional: how much of the largest tables and indexes is empty. Run in each database, as a superuser. Idempotent.
CREATE EXTENSION IF NOT EXISTS pgstattuple SCHEMA public;
