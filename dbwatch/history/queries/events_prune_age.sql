DELETE FROM alert_events
WHERE at < :before
