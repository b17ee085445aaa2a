-- Data quality: one view a rule, each one row with one number. What a constraint can forbid, 04 and 05 forbid; these count
-- what only looks wrong, and what nobody has dared to forbid yet. They run with their owner's rights: whoever reads them
-- learns how many, never who. dbwatch serves them as metrics (config/collectors).
CREATE SCHEMA IF NOT EXISTS qualite AUTHORIZATION marseille_owner;
COMMENT ON SCHEMA qualite IS 'How many rows break each rule: counts only, for the monitoring.';

SET ROLE marseille_owner;

CREATE OR REPLACE VIEW qualite.v_rendez_vous_sans_citoyen AS
SELECT count(*) AS violations
FROM metier.rendez_vous AS rdv
JOIN metier.citoyen AS citoyen ON citoyen.id = rdv.citoyen_id
WHERE rdv.statut = 'reserve' AND citoyen.anonymise_le IS NOT NULL;
COMMENT ON VIEW qualite.v_rendez_vous_sans_citoyen IS 'Appointments still to be kept, of a file that names nobody any more.';

CREATE OR REPLACE VIEW qualite.v_citoyens_en_double AS
SELECT coalesce(sum(fichier.nombre - 1), 0)::bigint AS violations
FROM (
    SELECT count(*) AS nombre
    FROM metier.citoyen
    WHERE anonymise_le IS NULL
    GROUP BY lower(btrim(nom)), lower(btrim(prenom)), date_naissance
) AS fichier;
COMMENT ON VIEW qualite.v_citoyens_en_double IS 'Files beyond the first of the same name and day of birth.';

CREATE OR REPLACE VIEW qualite.v_naissances_impossibles AS
SELECT count(*) AS violations
FROM metier.citoyen
WHERE date_naissance > current_date OR date_naissance < current_date - INTERVAL '120 years';
COMMENT ON VIEW qualite.v_naissances_impossibles IS 'Born tomorrow, or 120 years ago: usually a century mistyped.';

CREATE OR REPLACE VIEW qualite.v_contacts_manquants AS
SELECT count(*) AS violations
FROM metier.citoyen
WHERE anonymise_le IS NULL AND courriel IS NULL AND telephone IS NULL;
COMMENT ON VIEW qualite.v_contacts_manquants IS 'Neither mail address nor telephone: an appointment cannot be moved.';

CREATE OR REPLACE VIEW qualite.v_noms_vides AS
SELECT count(*) AS violations
FROM metier.citoyen
WHERE btrim(nom) = '' OR btrim(prenom) = '';
COMMENT ON VIEW qualite.v_noms_vides IS 'A name of nothing but blanks passes NOT NULL.';

CREATE OR REPLACE VIEW qualite.v_demandes_en_retard AS
SELECT count(*) AS violations
FROM metier.demande_rdv AS demande
JOIN referentiel.motif_rdv AS motif ON motif.id = demande.motif_id
JOIN referentiel.service_municipal AS service ON service.id = motif.service_id
WHERE demande.statut = 'en_attente' AND demande.deposee_le < now() - make_interval(days => service.delai_cible_jours);
COMMENT ON VIEW qualite.v_demandes_en_retard IS 'Requests that wait longer than the department promises.';

CREATE OR REPLACE VIEW qualite.v_urbanisme_hors_delai AS
SELECT count(*) AS violations
FROM metier.demande_urbanisme
WHERE statut IN ('recu', 'en_cours') AND echeance_le < current_date;
COMMENT ON VIEW qualite.v_urbanisme_hors_delai IS 'Open files past their legal deadline: silence has become consent.';

CREATE OR REPLACE VIEW qualite.v_rendez_vous_chevauchants AS
SELECT count(*) AS violations
FROM metier.rendez_vous AS un
JOIN metier.rendez_vous AS autre ON autre.citoyen_id = un.citoyen_id AND autre.id > un.id
WHERE un.statut IN ('reserve', 'honore') AND autre.statut IN ('reserve', 'honore')
  AND autre.debut < un.fin AND un.debut < autre.fin;
COMMENT ON VIEW qualite.v_rendez_vous_chevauchants IS 'Pairs of appointments of one citizen at the same time: counters cannot be booked twice, citizens can.';

CREATE OR REPLACE VIEW qualite.v_demandes_sans_rendez_vous AS
SELECT count(*) AS violations
FROM metier.demande_rdv AS demande
WHERE demande.statut = 'planifiee'
  AND NOT EXISTS (SELECT FROM metier.rendez_vous AS rdv WHERE rdv.demande_id = demande.id AND rdv.statut <> 'annule');
COMMENT ON VIEW qualite.v_demandes_sans_rendez_vous IS 'Planned, so out of the queue, and yet without an appointment: cancelled and forgotten.';

CREATE OR REPLACE VIEW qualite.v_parcelles_hors_arrondissement AS
SELECT count(*) AS violations
FROM metier.demande_urbanisme
WHERE substr(parcelle, 10, 2)::smallint <> arrondissement_numero;
COMMENT ON VIEW qualite.v_parcelles_hors_arrondissement IS 'The plot''s number begins with another district than the file''s.';

RESET ROLE;

-- The monitoring role reads these ten numbers, and still no table.
DO $monitoring$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'dbwatch') THEN
        GRANT USAGE ON SCHEMA qualite TO dbwatch;
        GRANT SELECT ON ALL TABLES IN SCHEMA qualite TO dbwatch;
    END IF;
END
$monitoring$;
