-- Fresh statistics right after the load, so that the first plans are not guesses. VACUUM stands alone: no transaction.
VACUUM (ANALYZE)
