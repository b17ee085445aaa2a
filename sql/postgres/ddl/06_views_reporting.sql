-- Figures for the town's management. The reporting role sees these views and nothing below them; they run with their
-- owner's rights. Nothing here names a person, and a figure drawn from fewer than five cases is withheld: in a small
-- group, an average is somebody.
CREATE SCHEMA IF NOT EXISTS reporting AUTHORIZATION marseille_owner;
COMMENT ON SCHEMA reporting IS 'Aggregated figures only: no row, and no small group, that would point at a person.';
GRANT USAGE ON SCHEMA reporting TO marseille_reporting, marseille_app;

SET ROLE marseille_owner;

CREATE OR REPLACE VIEW reporting.v_delai_par_service AS
SELECT service.code                                                                   AS service,
       date_trunc('month', demande.deposee_le AT TIME ZONE 'Europe/Paris')::date       AS mois,
       count(*)                                                                        AS rendez_vous,
       CASE WHEN count(*) >= 5 THEN
           round((percentile_cont(0.5) WITHIN GROUP (ORDER BY delai.jours))::numeric, 1) END AS delai_median_jours,
       CASE WHEN count(*) >= 5 THEN
           round((percentile_cont(0.9) WITHIN GROUP (ORDER BY delai.jours))::numeric, 1) END AS delai_p90_jours,
       service.delai_cible_jours,
       CASE WHEN count(*) >= 5 THEN
           round(count(*) FILTER (WHERE delai.jours <= service.delai_cible_jours)::numeric / count(*), 3) END AS part_dans_delai
FROM metier.rendez_vous AS rdv
JOIN metier.demande_rdv AS demande ON demande.id = rdv.demande_id
JOIN referentiel.motif_rdv AS motif ON motif.id = demande.motif_id
JOIN referentiel.service_municipal AS service ON service.id = motif.service_id
CROSS JOIN LATERAL (SELECT extract(epoch FROM rdv.debut - demande.deposee_le)::double precision / 86400 AS jours) AS delai
WHERE rdv.statut <> 'annule'
GROUP BY service.code, service.delai_cible_jours, mois;
COMMENT ON VIEW reporting.v_delai_par_service IS 'Days from request to appointment, per department and month of the request, beside the promise.';

CREATE OR REPLACE VIEW reporting.v_occupation_arrondissement AS
WITH ouverture AS (
    -- 8:30 to 12:00 and 13:00 to 16:30 on working days.
    SELECT arrondissement_numero, count(*) * 7 * 60 AS minutes_par_jour
    FROM referentiel.guichet WHERE ouvert GROUP BY arrondissement_numero
), jour AS (
    SELECT guichet.arrondissement_numero,
           (rdv.debut AT TIME ZONE 'Europe/Paris')::date AS jour,
           sum(extract(epoch FROM rdv.fin - rdv.debut) / 60) FILTER (WHERE rdv.statut IN ('reserve', 'honore')) AS minutes_occupees,
           count(*) FILTER (WHERE rdv.statut = 'absent') AS absences,
           count(*) AS rendez_vous
    FROM metier.rendez_vous AS rdv
    JOIN referentiel.guichet AS guichet ON guichet.id = rdv.guichet_id
    GROUP BY 1, 2
)
SELECT jour.arrondissement_numero                             AS arrondissement,
       date_trunc('week', jour.jour)::date                    AS semaine,
       sum(jour.rendez_vous)::bigint                          AS rendez_vous,
       round((coalesce(sum(jour.minutes_occupees), 0) / sum(ouverture.minutes_par_jour))::numeric, 3) AS taux_occupation,
       CASE WHEN sum(jour.rendez_vous) >= 5 THEN
           round(sum(jour.absences)::numeric / sum(jour.rendez_vous), 3) END AS taux_absence
FROM jour
JOIN ouverture USING (arrondissement_numero)
GROUP BY jour.arrondissement_numero, date_trunc('week', jour.jour);
COMMENT ON VIEW reporting.v_occupation_arrondissement IS 'Share of the counters'' opening time that is booked, per district and week.';

CREATE OR REPLACE VIEW reporting.v_file_attente AS
SELECT service.code                                            AS service,
       count(*)                                                AS en_attente,
       count(*) FILTER (WHERE now() - demande.deposee_le > make_interval(days => service.delai_cible_jours)) AS hors_delai,
       max(now() - demande.deposee_le)                         AS plus_ancienne
FROM metier.demande_rdv AS demande
JOIN referentiel.motif_rdv AS motif ON motif.id = demande.motif_id
JOIN referentiel.service_municipal AS service ON service.id = motif.service_id
WHERE demande.statut = 'en_attente'
GROUP BY service.code, service.delai_cible_jours;
COMMENT ON VIEW reporting.v_file_attente IS 'The queue per department: how many wait, how many beyond the promise, and since when the oldest.';

CREATE OR REPLACE VIEW reporting.v_etat_civil_mensuel AS
SELECT date_trunc('month', deposee_le AT TIME ZONE 'Europe/Paris')::date AS mois,
       nature,
       canal,
       count(*)                                                         AS demandes,
       sum(nombre_copies)::bigint                                       AS copies,
       CASE WHEN count(traitee_le) >= 5 THEN avg(traitee_le - deposee_le) END AS duree_moyenne
FROM metier.demande_etat_civil
GROUP BY mois, nature, canal;
COMMENT ON VIEW reporting.v_etat_civil_mensuel IS 'Civil registry: requests, copies and mean time to answer, per month, nature and channel.';

CREATE OR REPLACE VIEW reporting.v_urbanisme_echeances AS
SELECT arrondissement_numero                                                    AS arrondissement,
       nature,
       count(*)                                                                 AS dossiers_ouverts,
       count(*) FILTER (WHERE echeance_le < current_date)                       AS echus,
       count(*) FILTER (WHERE echeance_le BETWEEN current_date AND current_date + 14) AS a_echoir_14_jours
FROM metier.demande_urbanisme
WHERE statut IN ('recu', 'en_cours')
GROUP BY arrondissement_numero, nature;
COMMENT ON VIEW reporting.v_urbanisme_echeances IS 'Town planning: open files per district, those past their legal deadline and those that soon will be.';

GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO marseille_reporting;

RESET ROLE;
