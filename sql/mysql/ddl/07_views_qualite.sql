-- Data quality: the twin of sql/postgres/ddl/07. One view a rule, each one row with one number; SQL SECURITY DEFINER: whoever
-- reads them learns how many, never who. sql/mysql/security/02 grants them to the monitoring user.
CREATE DATABASE IF NOT EXISTS marseille_qualite CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_qualite.v_rendez_vous_sans_citoyen AS
SELECT COUNT(*) AS violations
FROM marseille_metier.rendez_vous AS rdv
JOIN marseille_metier.citoyen AS citoyen ON citoyen.id = rdv.citoyen_id
WHERE rdv.statut = 'reserve' AND citoyen.anonymise_le IS NOT NULL;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_qualite.v_citoyens_en_double AS
SELECT COALESCE(SUM(fichier.nombre - 1), 0) AS violations
FROM (
    SELECT COUNT(*) AS nombre
    FROM marseille_metier.citoyen
    WHERE anonymise_le IS NULL
    GROUP BY LOWER(TRIM(nom)), LOWER(TRIM(prenom)), date_naissance
) AS fichier;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_qualite.v_naissances_impossibles AS
SELECT COUNT(*) AS violations
FROM marseille_metier.citoyen
WHERE date_naissance > UTC_DATE() OR date_naissance < UTC_DATE() - INTERVAL 120 YEAR;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_qualite.v_contacts_manquants AS
SELECT COUNT(*) AS violations
FROM marseille_metier.citoyen
WHERE anonymise_le IS NULL AND courriel IS NULL AND telephone IS NULL;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_qualite.v_noms_vides AS
SELECT COUNT(*) AS violations
FROM marseille_metier.citoyen
WHERE TRIM(nom) = '' OR TRIM(prenom) = '';

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_qualite.v_demandes_en_retard AS
SELECT COUNT(*) AS violations
FROM marseille_metier.demande_rdv AS demande
JOIN marseille_referentiel.motif_rdv AS motif ON motif.id = demande.motif_id
JOIN marseille_referentiel.service_municipal AS service ON service.id = motif.service_id
WHERE demande.statut = 'en_attente' AND demande.deposee_le < UTC_TIMESTAMP() - INTERVAL service.delai_cible_jours DAY;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_qualite.v_urbanisme_hors_delai AS
SELECT COUNT(*) AS violations
FROM marseille_metier.demande_urbanisme
WHERE statut IN ('recu', 'en_cours') AND echeance_le < UTC_DATE();

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_qualite.v_rendez_vous_chevauchants AS
SELECT COUNT(*) AS violations
FROM marseille_metier.rendez_vous AS un
JOIN marseille_metier.rendez_vous AS autre ON autre.citoyen_id = un.citoyen_id AND autre.id > un.id
WHERE un.occupe = 1 AND autre.occupe = 1 AND autre.debut < un.fin AND un.debut < autre.fin;

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_qualite.v_demandes_sans_rendez_vous AS
SELECT COUNT(*) AS violations
FROM marseille_metier.demande_rdv AS demande
WHERE demande.statut = 'planifiee'
  AND NOT EXISTS (SELECT 1 FROM marseille_metier.rendez_vous AS rdv WHERE rdv.demande_id = demande.id AND rdv.statut <> 'annule');

CREATE OR REPLACE SQL SECURITY DEFINER VIEW marseille_qualite.v_parcelles_hors_arrondissement AS
SELECT COUNT(*) AS violations
FROM marseille_metier.demande_urbanisme
WHERE CAST(SUBSTRING(parcelle, 10, 2) AS UNSIGNED) <> arrondissement_numero;
