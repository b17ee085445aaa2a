-- {told} as it was on {moment} is in the database {into} of {address}, with its indexes, constraints and triggers.
-- Nothing of {database} was touched.{foreign_keys}
-- On the server of {database}. Where that is not {address}, carry {into} there first (mariadb-dump, mysqldump).
-- Rows of the copy that the table lacks, as often as it lacks them (MySQL: since 8.0.31). {keys}
-- IGNORE leaves out what the table refuses: SHOW WARNINGS names it.
SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');
INSERT IGNORE INTO {database}.{table} ({columns})
SELECT {compared} FROM {into}.{table} EXCEPT ALL SELECT {compared} FROM {database}.{table};
SHOW WARNINGS;

-- Done: DROP DATABASE {into};
