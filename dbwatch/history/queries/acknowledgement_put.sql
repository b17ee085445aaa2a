INSERT INTO acknowledgements (fingerprint, at, who, comment)
VALUES (:fingerprint, :at, :who, :comment)
ON CONFLICT (fingerprint) DO UPDATE SET at = excluded.at, who = excluded.who, comment = excluded.comment
