INSERT INTO alert_events (at, kind, fingerprint, db_instance, labels, value, summary, who, comment)
VALUES (:at, :kind, :fingerprint, :db_instance, :labels, :value, :summary, :who, :comment)
