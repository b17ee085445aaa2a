    INSERT INTO {source} ({columns}) OVERRIDING SYSTEM VALUE
    SELECT {columns}
    FROM pg_temp.dbwatch_restored AS dbwatch_lost
    WHERE NOT EXISTS (SELECT FROM {rows} AS dbwatch_live WHERE {matched});
