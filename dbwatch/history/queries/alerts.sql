SELECT body
FROM alerts
