DELETE FROM acknowledgements
WHERE fingerprint = :fingerprint
