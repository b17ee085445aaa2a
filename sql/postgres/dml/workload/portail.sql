-- The portal: requests come in, some get a slot. This is what makes the tables grow.

-- name: portail_demande
INSERT INTO metier.demande_rdv (citoyen_id, motif_id, arrondissement_numero, canal)
SELECT citoyen.premier + $1::bigint * 7919 % citoyen.nombre, motif.premier + $1::bigint % motif.nombre, 1 + $1::bigint % 16, 'portail'
FROM (SELECT min(id) AS premier, count(*) AS nombre FROM metier.citoyen WHERE id < 10000) AS citoyen,
     (SELECT min(id) AS premier, count(*) AS nombre FROM referentiel.motif_rdv) AS motif;

-- name: portail_reserver
-- A slot that is taken is simply not taken twice: the exclusion constraint says so, without an error.
INSERT INTO metier.rendez_vous (demande_id, citoyen_id, guichet_id, debut, fin)
SELECT demande.id, demande.citoyen_id, guichet.id, creneau.debut, creneau.debut + INTERVAL '20 minutes'
FROM (SELECT id, citoyen_id FROM metier.demande_rdv WHERE statut = 'en_attente' ORDER BY deposee_le LIMIT 1) AS demande,
     (SELECT id FROM referentiel.guichet ORDER BY id OFFSET $1::bigint * 5 % 64 LIMIT 1) AS guichet,
     (SELECT (current_date + 20 + ($1::bigint / 896)::integer) + TIME '08:30' + $1::bigint % 7 * INTERVAL '30 minutes' AS debut) AS creneau
ON CONFLICT DO NOTHING;

-- name: portail_planifier
UPDATE metier.demande_rdv AS demande SET statut = 'planifiee', close_le = now()
WHERE demande.statut = 'en_attente'
  AND EXISTS (SELECT FROM metier.rendez_vous AS rdv WHERE rdv.demande_id = demande.id AND rdv.statut = 'reserve');

-- name: portail_acte
INSERT INTO metier.demande_etat_civil (citoyen_id, nature, canal)
SELECT min(id) + $1::bigint * 104729 % count(*), 'naissance', 'portail' FROM metier.citoyen WHERE id < 10000;
