-- What the counters and the management of the Ville de Marseille must be able to ask once a restore is over. Each gives
-- one row with one 1 or 0: never a value of a row.
-- database: marseille_metier

-- name: citoyens
SELECT count(*) > 0 FROM marseille_metier.citoyen;

-- name: usager_par_numero
SELECT count(*) = 1 FROM marseille_metier.citoyen
WHERE numero_usager = (SELECT min(numero_usager) FROM marseille_metier.citoyen);

-- name: rendez_vous_avec_demande
SELECT count(*) > 0 AND count(*) = count(demande.id)
FROM marseille_metier.rendez_vous AS rdv
LEFT JOIN marseille_metier.demande_rdv AS demande ON demande.id = rdv.demande_id;

-- name: arrondissements
SELECT count(*) = 16 FROM marseille_referentiel.arrondissement;

-- name: file_attente
SELECT count(*) >= 0 FROM marseille_reporting.v_file_attente;

-- name: delais_par_service
SELECT count(*) > 0 FROM marseille_reporting.v_delai_par_service;
