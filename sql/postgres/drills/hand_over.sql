-- {told} as it was on {moment} is in the database {into} of {address}, with its indexes, checks, triggers and grants.
-- Nothing of {database} was touched.{foreign_keys}
-- To bring rows back, in a psql on the server of {database}; the copy is read from {address}, which may ask for the password:

\connect {connect}
CREATE SCHEMA {side};
CREATE TABLE {side}.{table} (LIKE {source} INCLUDING ALL EXCLUDING IDENTITY);
\copy {side}.{table} ({columns}) FROM PROGRAM {reader}

-- Rows of the copy that the table lacks, as often as it lacks them. {keys}
INSERT INTO {source} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {given}
FROM (SELECT {compared} FROM {side}.{table} EXCEPT ALL SELECT {compared} FROM {source}) AS lost{conflicts};

-- Done: DROP TABLE {side}.{table}; DROP SCHEMA {side}; then, from another database: DROP DATABASE {into};
-- The whole table in the place of a damaged one: docs/scenarios_pra/03_corruption_table_demande_rdv.md
