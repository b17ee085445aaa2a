    IF current_setting('dbwatch.former_rows', true) IS DISTINCT FROM 'on'
       AND EXISTS (SELECT {compared} FROM {rows} EXCEPT ALL SELECT {compared} FROM pg_temp.dbwatch_restored) THEN
        RAISE EXCEPTION '% has no key, and rows that the copy lacks: one that was changed cannot be told from a lost one; to have the former versions too: SET dbwatch.former_rows = on, and paste again', dbwatch_target;
    END IF;
    INSERT INTO {source} ({columns}) OVERRIDING SYSTEM VALUE
    SELECT {given}
    FROM (SELECT {compared} FROM pg_temp.dbwatch_restored EXCEPT ALL SELECT {compared} FROM {rows}) AS dbwatch_lost;
