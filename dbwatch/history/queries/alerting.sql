SELECT name, value
FROM alerting
