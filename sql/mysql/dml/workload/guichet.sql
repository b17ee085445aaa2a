-- The counters: many small questions, and a citizen who has arrived. @tour is the turn: it decides who is asked about.

-- name: guichet_agenda
SELECT rdv.debut, rdv.fin, rdv.statut
FROM marseille_metier.rendez_vous AS rdv
WHERE rdv.guichet_id = 1 + @tour * 7 MOD 64 AND rdv.debut >= UTC_DATE() AND rdv.debut < UTC_DATE() + INTERVAL 1 DAY
ORDER BY rdv.debut;

-- name: guichet_citoyen
SELECT citoyen.id, citoyen.numero_usager, COUNT(rdv.id) AS rendez_vous, MAX(rdv.debut) AS dernier
FROM marseille_metier.citoyen AS citoyen
LEFT JOIN marseille_metier.rendez_vous AS rdv ON rdv.citoyen_id = citoyen.id
WHERE citoyen.numero_usager = CONCAT('CITOYEN-', LPAD(1 + @tour * 7919 MOD 50, 6, '0'))
GROUP BY citoyen.id, citoyen.numero_usager;

-- name: guichet_accueil
UPDATE marseille_metier.rendez_vous SET statut = 'honore', modifie_le = UTC_TIMESTAMP()
WHERE id = 2 + @tour * 7919 MOD 5000 AND statut = 'reserve';

-- name: guichet_file
SELECT demande.id, demande.motif_id, demande.deposee_le
FROM marseille_metier.demande_rdv AS demande
WHERE demande.statut = 'en_attente'
ORDER BY demande.deposee_le
LIMIT 20;
