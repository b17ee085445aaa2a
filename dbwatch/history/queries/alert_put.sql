INSERT INTO alerts (fingerprint, state, body)
VALUES (:fingerprint, :state, :body)
ON CONFLICT (fingerprint) DO UPDATE SET state = excluded.state, body = excluded.body
