-- Figures for the town's management: the twin of sql/postgres/ddl/06. SQL SECURITY DEFINER: who reads a view needs no right on
-- the tables below it. A figure drawn from fewer than five cases is withheld: in a small group, an average is somebody.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_reporting.v_delai_par_service AS
SELECT service.code                                                   AS service,
       CAST(DATE_FORMAT(demande.deposee_le, '%Y-%m-01') AS DATE)      AS mois,
       COUNT(*)                                                       AS rendez_vous,
       IF(COUNT(*) >= 5, ROUND(AVG(TIMESTAMPDIFF(HOUR, demande.deposee_le, rdv.debut)) / 24, 1), NULL) AS delai_moyen_jours,
       service.delai_cible_jours,
       IF(COUNT(*) >= 5, ROUND(AVG(TIMESTAMPDIFF(HOUR, demande.deposee_le, rdv.debut) <= 24 * service.delai_cible_jours), 3), NULL) AS part_dans_delai
FROM marseille_metier.rendez_vous AS rdv
JOIN marseille_metier.demande_rdv AS demande ON demande.id = rdv.demande_id
JOIN marseille_referentiel.motif_rdv AS motif ON motif.id = demande.motif_id
JOIN marseille_referentiel.service_municipal AS service ON service.id = motif.service_id
WHERE rdv.statut <> 'annule'
GROUP BY service.code, service.delai_cible_jours, CAST(DATE_FORMAT(demande.deposee_le, '%Y-%m-01') AS DATE);

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_reporting.v_occupation_arrondissement AS
SELECT guichet.arrondissement_numero                                  AS arrondissement,
       YEARWEEK(rdv.debut, 3)                                         AS semaine,
       COUNT(*)                                                       AS rendez_vous,
       SUM(IF(rdv.occupe = 1, TIMESTAMPDIFF(MINUTE, rdv.debut, rdv.fin), 0)) AS minutes_occupees,
       IF(COUNT(*) >= 5, ROUND(AVG(rdv.statut = 'absent'), 3), NULL)  AS taux_absence
FROM marseille_metier.rendez_vous AS rdv
JOIN marseille_referentiel.guichet AS guichet ON guichet.id = rdv.guichet_id
GROUP BY guichet.arrondissement_numero, YEARWEEK(rdv.debut, 3);

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_reporting.v_file_attente AS
SELECT service.code                                                   AS service,
       COUNT(*)                                                       AS en_attente,
       SUM(demande.deposee_le < UTC_TIMESTAMP() - INTERVAL service.delai_cible_jours DAY) AS hors_delai,
       TIMESTAMPDIFF(DAY, MIN(demande.deposee_le), UTC_TIMESTAMP())   AS plus_ancienne_jours
FROM marseille_metier.demande_rdv AS demande
JOIN marseille_referentiel.motif_rdv AS motif ON motif.id = demande.motif_id
JOIN marseille_referentiel.service_municipal AS service ON service.id = motif.service_id
WHERE demande.statut = 'en_attente'
GROUP BY service.code;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_reporting.v_etat_civil_mensuel AS
SELECT CAST(DATE_FORMAT(deposee_le, '%Y-%m-01') AS DATE)              AS mois,
       nature,
       canal,
       COUNT(*)                                                       AS demandes,
       SUM(nombre_copies)                                             AS copies,
       IF(COUNT(traitee_le) >= 5, ROUND(AVG(TIMESTAMPDIFF(HOUR, deposee_le, traitee_le)), 1), NULL) AS duree_moyenne_heures
FROM marseille_metier.demande_etat_civil
GROUP BY CAST(DATE_FORMAT(deposee_le, '%Y-%m-01') AS DATE), nature, canal;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_reporting.v_urbanisme_echeances AS
SELECT arrondissement_numero                                          AS arrondissement,
       nature,
       COUNT(*)                                                       AS dossiers_ouverts,
       SUM(echeance_le < UTC_DATE())                                  AS echus
FROM marseille_metier.demande_urbanisme
WHERE statut IN ('recu', 'en_cours')
GROUP BY arrondissement_numero, nature;
