-- {told} as it was on {moment} is in the database {into} of {address}, with its indexes, constraints and triggers.
-- Nothing of {database} was touched.{foreign_keys}
-- On the server of {database}. Where that is not {address}, carry {into} there first (mariadb-dump, mysqldump).
-- Rows of the copy that the table lacks, known by its unique keys (look that it still has them). {keys}
-- IGNORE leaves out what the table refuses: SHOW WARNINGS names it.
SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');
INSERT IGNORE INTO {database}.{table} ({columns})
SELECT {columns} FROM {into}.{table};
SHOW WARNINGS;

-- Done: DROP DATABASE {into};
