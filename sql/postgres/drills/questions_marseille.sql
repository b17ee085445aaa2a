-- What the counters and the management of the Ville de Marseille must be able to ask once a restore is over. Each gives
-- one row with one true or false: never a value of a row.
-- database: marseille

-- name: citoyens
SELECT count(*) > 0 FROM metier.citoyen;

-- name: usager_par_numero
SELECT count(*) = 1 FROM metier.citoyen WHERE numero_usager = (SELECT min(numero_usager) FROM metier.citoyen);

-- name: rendez_vous_avec_demande
SELECT count(*) > 0 AND count(*) = count(demande.id)
FROM metier.rendez_vous AS rdv
LEFT JOIN metier.demande_rdv AS demande ON demande.id = rdv.demande_id;

-- name: guichet_jamais_double
SELECT count(*) = 0
FROM metier.rendez_vous AS un
JOIN metier.rendez_vous AS autre ON autre.guichet_id = un.guichet_id AND autre.id > un.id
     AND tstzrange(autre.debut, autre.fin) && tstzrange(un.debut, un.fin)
WHERE un.statut IN ('reserve', 'honore') AND autre.statut IN ('reserve', 'honore')
  AND un.debut >= (SELECT max(debut) - INTERVAL '7 days' FROM metier.rendez_vous);

-- name: arrondissements
SELECT count(*) = 16 FROM referentiel.arrondissement;

-- name: file_attente
SELECT count(*) >= 0 FROM reporting.v_file_attente;

-- name: delais_par_service
SELECT count(*) > 0 FROM reporting.v_delai_par_service;
