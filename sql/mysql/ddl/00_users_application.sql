-- Users of the application: one that writes, one that reads figures. Run as an administrator, after the databases exist.
--     SET @dbwatch_application_password = '…', @dbwatch_reporting_password = '…';
SET @dbwatch_statement = CONCAT('CREATE USER IF NOT EXISTS ''marseille_app''@''%'' IDENTIFIED BY ',
                                QUOTE(NULLIF(@dbwatch_application_password, '')), ' WITH MAX_USER_CONNECTIONS 30');
PREPARE dbwatch_statement FROM @dbwatch_statement;
EXECUTE dbwatch_statement;

SET @dbwatch_statement = CONCAT('CREATE USER IF NOT EXISTS ''marseille_reporting''@''%'' IDENTIFIED BY ',
                                QUOTE(NULLIF(@dbwatch_reporting_password, '')), ' WITH MAX_USER_CONNECTIONS 5');
PREPARE dbwatch_statement FROM @dbwatch_statement;
EXECUTE dbwatch_statement;
DEALLOCATE PREPARE dbwatch_statement;
SET @dbwatch_statement = NULL;

GRANT SELECT ON marseille_referentiel.* TO 'marseille_app'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON marseille_metier.* TO 'marseille_app'@'%';
-- The views run with their definer's rights: whoever reads the figures needs no right on a table.
GRANT SELECT ON marseille_reporting.* TO 'marseille_reporting'@'%';
