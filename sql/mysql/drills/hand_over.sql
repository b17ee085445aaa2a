-- {told} as it was on {moment} is in the database {into} of {address}, with its indexes, constraints and triggers.
-- Nothing of {database} was touched.{foreign_keys}
-- On the server of {database}. Where that is not {address}, carry {into} there first (mariadb-dump, mysqldump).
-- All lost rows come back {unchanged}; or an ERROR says why not, and nothing is written (InnoDB).
-- {keys}
-- No trigger can be kept from firing here: where the table has some, the ERROR names them.

SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
DROP PROCEDURE IF EXISTS {into}.dbwatch_bring_back;
DELIMITER //
CREATE PROCEDURE {into}.dbwatch_bring_back()
MODIFIES SQL DATA
BEGIN
    DECLARE dbwatch_told TEXT;
    DECLARE dbwatch_zone TEXT DEFAULT @@SESSION.time_zone;
    DECLARE dbwatch_checks INT DEFAULT @@SESSION.foreign_key_checks;
    -- Unless the server folds names, `t` is not `T`, though information_schema of MariaDB takes them for one.
    DECLARE dbwatch_folds BOOLEAN DEFAULT @@lower_case_table_names <> 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        ROLLBACK;
        SET SESSION time_zone = dbwatch_zone, SESSION foreign_key_checks = dbwatch_checks;
        RESIGNAL;
    END;
    SET SESSION time_zone = '+00:00', SESSION foreign_key_checks = 1;

    SELECT GROUP_CONCAT(c.column_name) INTO dbwatch_told
    FROM information_schema.columns AS c
    WHERE c.table_schema = CONVERT(UNHEX('{into_hex}') USING utf8mb4)
      AND c.table_name = CONVERT(UNHEX('{table_hex}') USING utf8mb4)
      AND (dbwatch_folds OR (CAST(c.table_schema AS BINARY) = UNHEX('{into_hex}')
                             AND CAST(c.table_name AS BINARY) = UNHEX('{table_hex}')))
      AND COALESCE(c.generation_expression, '') = ''
      AND NOT EXISTS (SELECT 1
                      FROM information_schema.columns AS l
                      WHERE l.table_schema = CONVERT(UNHEX('{database_hex}') USING utf8mb4)
                        AND l.table_name = CONVERT(UNHEX('{table_hex}') USING utf8mb4)
                        AND (dbwatch_folds OR (CAST(l.table_schema AS BINARY) = UNHEX('{database_hex}')
                                               AND CAST(l.table_name AS BINARY) = UNHEX('{table_hex}')))
                        AND l.column_name = c.column_name
                        AND l.column_type = c.column_type
                        AND l.character_set_name <=> c.character_set_name
                        AND l.collation_name <=> c.collation_name);
    IF dbwatch_told IS NOT NULL THEN
        SET dbwatch_told = LEFT(CONCAT('columns are not as in the copy: ', dbwatch_told), 120);
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = dbwatch_told;
    END IF;

    SELECT GROUP_CONCAT(t.trigger_name) INTO dbwatch_told
    FROM information_schema.triggers AS t
    WHERE t.event_object_schema = CONVERT(UNHEX('{database_hex}') USING utf8mb4)
      AND t.event_object_table = CONVERT(UNHEX('{table_hex}') USING utf8mb4)
      AND (dbwatch_folds OR (CAST(t.event_object_schema AS BINARY) = UNHEX('{database_hex}')
                             AND CAST(t.event_object_table AS BINARY) = UNHEX('{table_hex}')))
      AND t.event_manipulation = 'INSERT';
    IF dbwatch_told IS NOT NULL AND COALESCE(@dbwatch_triggers, '') <> 'fire' THEN
        SET dbwatch_told = LEFT(CONCAT('triggers would fire: drop them meanwhile, or SET @dbwatch_triggers = ''fire'': ',
                                       dbwatch_told), 120);
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = dbwatch_told;
    END IF;

    START TRANSACTION;
{insert}
    SELECT ROW_COUNT() AS rows_that_came_back;
    COMMIT;
    SET SESSION time_zone = dbwatch_zone, SESSION foreign_key_checks = dbwatch_checks;
END//
DELIMITER ;
CALL {into}.dbwatch_bring_back();

-- Done: DROP DATABASE {into};
