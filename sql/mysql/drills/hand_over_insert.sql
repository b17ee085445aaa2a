    -- Whole rows are compared: MySQL can since 8.0.31.
    IF COALESCE(@dbwatch_former_rows, '') <> 'on'
       AND EXISTS (SELECT {compared} FROM {database}.{table} EXCEPT ALL SELECT {compared} FROM {into}.{table}) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'no key, and rows not in the copy: new or changed? For all former ones: SET @dbwatch_former_rows = ''on''';
    END IF;
    INSERT INTO {database}.{table} ({columns})
    SELECT {compared} FROM {into}.{table} EXCEPT ALL SELECT {compared} FROM {database}.{table};
