-- The portal: requests come in, some get a slot. This is what makes the tables grow.

-- name: portail_demande
INSERT INTO marseille_metier.demande_rdv (citoyen_id, motif_id, arrondissement_numero, canal)
VALUES (1 + @tour * 7919 MOD 50, 1 + @tour MOD 10, 1 + @tour MOD 16, 'portail');

-- name: portail_reserver
-- A slot that is taken is simply not taken twice: the unique key says so, without an error.
INSERT INTO marseille_metier.rendez_vous (demande_id, citoyen_id, guichet_id, debut, fin)
SELECT demande.id, demande.citoyen_id, 1 + @tour * 5 MOD 64,
       UTC_DATE() + INTERVAL (20 + @tour DIV 896) DAY + INTERVAL (450 + 30 * (@tour MOD 7)) MINUTE,
       UTC_DATE() + INTERVAL (20 + @tour DIV 896) DAY + INTERVAL (470 + 30 * (@tour MOD 7)) MINUTE
FROM (SELECT id, citoyen_id FROM marseille_metier.demande_rdv WHERE statut = 'en_attente' ORDER BY deposee_le LIMIT 1) AS demande
ON DUPLICATE KEY UPDATE modifie_le = rendez_vous.modifie_le;

-- name: portail_planifier
UPDATE marseille_metier.demande_rdv AS demande
JOIN marseille_metier.rendez_vous AS rdv ON rdv.demande_id = demande.id AND rdv.occupe = 1
SET demande.statut = 'planifiee', demande.close_le = UTC_TIMESTAMP()
WHERE demande.statut = 'en_attente';

-- name: portail_acte
INSERT INTO marseille_metier.demande_etat_civil (citoyen_id, nature, canal)
VALUES (1 + @tour * 104729 MOD 50, 'naissance', 'portail');
