DELETE FROM alerts
WHERE fingerprint = :fingerprint
