-- {source} as it was on {moment} is in the database {into}, with its indexes, constraints and triggers.
-- Nothing of {database} was touched. Rows that were deleted or lost, and nothing else:
INSERT IGNORE INTO {database}.{table} SELECT * FROM {into}.{table};

-- Done: DROP DATABASE {into};
