-- The counters: many small questions, and a citizen who has arrived. $1 is the turn: it decides who is asked about.

-- name: guichet_agenda
SELECT rdv.debut, rdv.fin, rdv.statut
FROM metier.rendez_vous AS rdv
WHERE rdv.guichet_id = (SELECT id FROM referentiel.guichet ORDER BY id OFFSET $1::bigint * 7 % 64 LIMIT 1)
  AND rdv.debut >= current_date AND rdv.debut < current_date + 1
ORDER BY rdv.debut;

-- name: guichet_citoyen
SELECT citoyen.id, citoyen.numero_usager, count(rdv.id) AS rendez_vous, max(rdv.debut) AS dernier
FROM metier.citoyen AS citoyen
LEFT JOIN metier.rendez_vous AS rdv ON rdv.citoyen_id = citoyen.id
WHERE citoyen.numero_usager = 'CITOYEN-' || lpad((1 + $1::bigint * 7919 % 50)::text, 6, '0')
GROUP BY citoyen.id;

-- name: guichet_accueil
UPDATE metier.rendez_vous SET statut = 'honore', modifie_le = now()
WHERE id = (SELECT id FROM metier.rendez_vous WHERE statut = 'reserve' AND id % 101 = $1::bigint % 101 ORDER BY id LIMIT 1);

-- name: guichet_file
SELECT demande.id, demande.motif_id, demande.deposee_le
FROM metier.demande_rdv AS demande
WHERE demande.statut = 'en_attente'
ORDER BY demande.deposee_le
LIMIT 20;
