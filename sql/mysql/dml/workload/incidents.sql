-- What an operator should see on the page, and what should not last.

-- name: incident_longue_requete
SELECT COUNT(*), SLEEP(12) FROM marseille_reporting.v_urbanisme_echeances;

-- name: incident_verrou
-- Run in a transaction that stays open: the next session to run it waits.
UPDATE marseille_metier.rendez_vous SET modifie_le = UTC_TIMESTAMP() WHERE id = 1;

-- name: incident_patience
-- Whoever waits behind incident_verrou waits until it is over.
SET SESSION innodb_lock_wait_timeout = 300;

-- name: incident_oubli
-- Run in a transaction that nobody ends.
SELECT COUNT(*) FROM marseille_metier.citoyen WHERE arrondissement_numero = 1;
