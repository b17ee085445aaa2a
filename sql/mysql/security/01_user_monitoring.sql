-- The monitoring user: what dbwatch needs, and nothing more: no SELECT on any table of yours. Run as an administrator.
--     SET @dbwatch_monitoring_password = '…';
-- PREPARE, because CREATE USER takes no variable for a password.
SET @dbwatch_statement = CONCAT('CREATE USER IF NOT EXISTS ''dbwatch''@''%'' IDENTIFIED BY ',
                                QUOTE(NULLIF(@dbwatch_monitoring_password, '')), ' WITH MAX_USER_CONNECTIONS 6');
PREPARE dbwatch_statement FROM @dbwatch_statement;
EXECUTE dbwatch_statement;

-- MariaDB splits REPLICATION CLIENT in two (10.5+); performance_schema is open by its own grant.
SET @dbwatch_statement = IF(VERSION() LIKE '%MariaDB%',
                            'GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO ''dbwatch''@''%''',
                            'GRANT PROCESS, REPLICATION CLIENT ON *.* TO ''dbwatch''@''%''');
PREPARE dbwatch_statement FROM @dbwatch_statement;
EXECUTE dbwatch_statement;

GRANT SELECT ON performance_schema.* TO 'dbwatch'@'%';

DEALLOCATE PREPARE dbwatch_statement;
SET @dbwatch_statement = NULL;
