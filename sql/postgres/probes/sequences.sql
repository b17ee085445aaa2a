/* ---
description: Sees how far each sequence of the database has come.
grant: {any: "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {user};"}
--- */
-- Without it pg_sequences shows NULL, without an error. One that is readable proves that somebody granted it here; those
-- made since then are counted (dbwatch_pg_sequences_unreadable).
SELECT count(*) = 0 OR bool_or(has_sequence_privilege(s.seqrelid, 'SELECT')) AS readable
FROM pg_sequence AS s
