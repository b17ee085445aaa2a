-- What an operator should see on the page, and what should not last.

-- name: incident_longue_requete
-- A sort that does not fit in work_mem (temporary files), then a wait: a query that runs for twelve seconds.
SELECT count(*), max(attente.fin::text)
FROM (SELECT md5(n::text) AS empreinte FROM generate_series(1, 60000) AS n ORDER BY 1 OFFSET 0) AS tri,
     (SELECT pg_sleep(12) AS fin) AS attente;

-- name: incident_verrou
-- Run in a transaction that stays open: the next session to run it waits.
UPDATE metier.rendez_vous SET modifie_le = now() WHERE id = (SELECT min(id) FROM metier.rendez_vous);

-- name: incident_patience
-- Whoever waits behind incident_verrou waits until it is over.
SET lock_timeout = 0;

-- name: incident_oubli
-- Run in a transaction that nobody ends.
SELECT count(*) FROM metier.citoyen WHERE arrondissement_numero = 1;
