SELECT at, kind, fingerprint, labels, value, summary, who, comment
FROM alert_events
WHERE at >= :since AND (:db_instance = '' OR db_instance = :db_instance)
ORDER BY at DESC, id DESC
LIMIT :limit
