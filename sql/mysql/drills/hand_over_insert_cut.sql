    -- A row of the copy may have another key than the one that was lost.
    IF COALESCE(@dbwatch_cut_keys, '') <> 'on' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'a dump cuts values of the key: to know rows by what it keeps of them: SET @dbwatch_cut_keys = ''on''';
    END IF;
    INSERT INTO {database}.{table} ({columns})
    SELECT {columns}
    FROM {into}.{table} AS dbwatch_lost
    WHERE NOT EXISTS (SELECT 1 FROM {database}.{table} AS dbwatch_live WHERE {matched});
