-- The user for backups: it reads everything, accounts included, and changes nothing. Run as an administrator.
--     SET @dbwatch_backup_password = '…';
-- To restore with it into a server: GRANT ALL ON *.* … WITH GRANT OPTION there, and REVOKE afterwards (`restore plan`).
-- Not the monitoring user: that one reads no table of yours.
-- PREPARE, because CREATE USER takes no variable for a password.
SET @dbwatch_statement = CONCAT('CREATE USER IF NOT EXISTS ''dbwatch_backup''@''%'' IDENTIFIED BY ',
                                QUOTE(NULLIF(@dbwatch_backup_password, '')), ' WITH MAX_USER_CONNECTIONS 8');
PREPARE dbwatch_statement FROM @dbwatch_statement;
EXECUTE dbwatch_statement;

-- RELOAD: the global lock that gives all tables one moment. It is let go when the dump is seen to have begun: mostly
-- after some tenths of a second, on a busy machine later, bounded by max_blocking (5 s).
-- PROCESS: to see that the dump has begun, and that no database is hidden from it.
-- SELECT on everything includes the schema mysql: accounts, and the bodies of procedures.
-- EXECUTE is not here: with it the account could do what the definer of any routine may. MariaDB wants it of a dump
-- where a view calls a function of yours: a backup then names the GRANT EXECUTE ON FUNCTION for this function alone.
-- MariaDB calls REPLICATION CLIENT so since 10.5: the position in the binary log.
SET @dbwatch_statement = IF(VERSION() LIKE '%MariaDB%',
                            'GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, PROCESS, RELOAD, BINLOG MONITOR
                             ON *.* TO ''dbwatch_backup''@''%''',
                            'GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, PROCESS, RELOAD, REPLICATION CLIENT
                             ON *.* TO ''dbwatch_backup''@''%''');
PREPARE dbwatch_statement FROM @dbwatch_statement;
EXECUTE dbwatch_statement;

DEALLOCATE PREPARE dbwatch_statement;
SET @dbwatch_statement = NULL;
