SELECT fingerprint, at, who, comment
FROM acknowledgements
