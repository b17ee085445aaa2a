    INSERT INTO {database}.{table} ({columns})
    SELECT {columns}
    FROM {into}.{table} AS dbwatch_lost
    WHERE NOT EXISTS (SELECT 1 FROM {database}.{table} AS dbwatch_live WHERE {matched});
