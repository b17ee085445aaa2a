DELETE FROM alert_events
WHERE id <= (SELECT max(id) FROM alert_events) - :keep
