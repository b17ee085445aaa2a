-- {source} as it was on {moment} is in the database {into}, with its indexes, constraints, triggers and grants.
-- Nothing of {database} was touched. To bring rows back, in psql:

\connect {database}
CREATE SCHEMA {side};
CREATE TABLE {side}.{table} (LIKE {source} INCLUDING ALL EXCLUDING IDENTITY);
\! psql --dbname {into} -c '\copy {source} TO STDOUT' | psql --dbname {database} -c '\copy {side}.{table} FROM STDIN'

-- Rows that were deleted or lost, and nothing else:
INSERT INTO {source} OVERRIDING SYSTEM VALUE SELECT * FROM {side}.{table} ON CONFLICT DO NOTHING;

-- Done: DROP TABLE {side}.{table}; DROP SCHEMA {side}; then, from another database: DROP DATABASE {into};
-- The whole table in the place of a damaged one: docs/scenarios_pra/03_corruption_table_demande_rdv.md
