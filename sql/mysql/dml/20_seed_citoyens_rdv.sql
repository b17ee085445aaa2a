-- Citizens, appointments and requests, generated: the twin of sql/postgres/dml/20. Nobody in here exists: names are numbers,
-- addresses end in .invalid, telephone numbers are of the range that France keeps for fiction (04 65 71).
-- Deterministic: CRC32 of the row's number is all the chance there is. Optional:
--     SET @dbwatch_scale = '1', @dbwatch_reference_date = '2026-01-05';
SET time_zone = '+00:00';
SET @echelle = GREATEST(0.01, COALESCE(NULLIF(@dbwatch_scale, '') + 0, 1));
SET @aujourd_hui = CAST(COALESCE(NULLIF(@dbwatch_reference_date, ''), '2026-01-05') AS DATE);

-- Numbers 1 … 100,000, kept for this session: a recursive query stops at 1,000 levels, hence the three small ones.
CREATE TEMPORARY TABLE marseille_metier.suite (n INT UNSIGNED NOT NULL PRIMARY KEY) ENGINE = InnoDB
WITH RECURSIVE petit (k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM petit WHERE k < 99),
               dix (k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM dix WHERE k < 9)
SELECT d.k * 10000 + a.k * 100 + b.k + 1 AS n FROM dix AS d CROSS JOIN petit AS a CROSS JOIN petit AS b;

INSERT INTO marseille_metier.citoyen
    (id, numero_usager, nom, prenom, date_naissance, courriel, telephone, arrondissement_numero, cree_le, anonymise_le)
SELECT n, CONCAT('CITOYEN-', LPAD(n, 6, '0')),
       -- Wrong on purpose, for the views of marseille_qualite: second files, blank names, centuries mistyped, no contact.
       IF(n MOD 211 = 0, NULL, CONCAT('NOM-', LPAD(n - (n MOD 499 = 0), 6, '0'))),
       IF(n MOD 211 = 0, NULL, IF(n MOD 601 = 11, '  ', CONCAT('PRENOM-', LPAD(n - (n MOD 499 = 0), 6, '0')))),
       IF(n MOD 211 = 0, NULL, @aujourd_hui - INTERVAL (18 * 365 + CRC32(CONCAT(n - (n MOD 499 = 0), 'a')) MOD 25000) DAY
                               + INTERVAL IF(n MOD 401 = 7, 100, 0) YEAR),
       IF(n MOD 211 = 0 OR n MOD 307 = 3, NULL, CONCAT('citoyen-', LPAD(n, 6, '0'), '@example.invalid')),
       IF(n MOD 211 = 0 OR n MOD 307 = 3, NULL, CONCAT('+3346571', LPAD(CRC32(CONCAT(n, 'b')) MOD 10000, 4, '0'))),
       1 + CRC32(CONCAT(n, 'c')) MOD 16,
       @aujourd_hui - INTERVAL (400 + CRC32(CONCAT(n, 'd')) MOD 1500) DAY,
       IF(n MOD 211 = 0, @aujourd_hui - INTERVAL 300 DAY, NULL)
FROM marseille_metier.suite
WHERE n <= GREATEST(50, ROUND(12000 * @echelle)) AND NOT EXISTS (SELECT 1 FROM marseille_metier.citoyen AS deja)
ORDER BY n;

SET @citoyens = (SELECT COUNT(*) FROM marseille_metier.citoyen);
SET @jours = GREATEST(8, ROUND(30 * @echelle));
SET @debut = @aujourd_hui - INTERVAL GREATEST(5, ROUND(20 * @echelle)) DAY;

-- Every slot of half an hour of every counter, in working days' opening hours; about two in three taken.
CREATE TEMPORARY TABLE marseille_metier.creneau (
    demande_id  BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    n           INT UNSIGNED NOT NULL,
    guichet_id  INT UNSIGNED NOT NULL,
    arrondissement_numero TINYINT UNSIGNED NOT NULL,
    service_id  SMALLINT UNSIGNED NOT NULL,
    debut       DATETIME NOT NULL
) ENGINE = InnoDB;
INSERT INTO marseille_metier.creneau (n, guichet_id, arrondissement_numero, service_id, debut)
SELECT offre.n, offre.guichet_id, offre.arrondissement_numero, offre.service_id, offre.debut
FROM (
    SELECT suite.n * 100 + guichet.id AS n, guichet.id AS guichet_id, guichet.arrondissement_numero, guichet.service_id,
           -- 14 slots a day; in UTC: 7:30 to 11:00 and 12:00 to 15:30.
           @debut + INTERVAL ((suite.n - 1) DIV 14) DAY
                  + INTERVAL (450 + 30 * ((suite.n - 1) MOD 14) + IF((suite.n - 1) MOD 14 >= 7, 60, 0)) MINUTE AS debut
    FROM marseille_metier.suite AS suite
    CROSS JOIN marseille_referentiel.guichet AS guichet
    WHERE suite.n <= 14 * @jours
) AS offre
WHERE WEEKDAY(offre.debut) < 5
  AND CRC32(CONCAT(offre.n, 'e')) MOD 100 < 80 - 2 * offre.arrondissement_numero
  AND NOT EXISTS (SELECT 1 FROM marseille_metier.demande_rdv)
ORDER BY offre.n;

INSERT INTO marseille_metier.demande_rdv (id, citoyen_id, motif_id, arrondissement_numero, canal, statut, deposee_le, close_le)
SELECT creneau.demande_id, 1 + CRC32(CONCAT(creneau.n, 'f')) MOD @citoyens,
       (SELECT MIN(motif.id) FROM marseille_referentiel.motif_rdv AS motif WHERE motif.service_id = creneau.service_id)
           + CRC32(CONCAT(creneau.n, 'g')) MOD 2,
       creneau.arrondissement_numero, ELT(1 + CRC32(CONCAT(creneau.n, 'h')) MOD 4, 'guichet', 'portail', 'portail', 'telephone'),
       'planifiee',
       creneau.debut - INTERVAL (1 + (CRC32(CONCAT(creneau.n, 'i')) MOD 12) * creneau.service_id) DAY,
       creneau.debut - INTERVAL (1 + (CRC32(CONCAT(creneau.n, 'i')) MOD 12) * creneau.service_id) DAY + INTERVAL 20 MINUTE
FROM marseille_metier.creneau AS creneau
ORDER BY creneau.demande_id;

INSERT INTO marseille_metier.rendez_vous (demande_id, citoyen_id, guichet_id, debut, fin, statut, cree_le, modifie_le)
SELECT demande.id, demande.citoyen_id, creneau.guichet_id, creneau.debut, creneau.debut + INTERVAL motif.duree_minutes MINUTE,
       CASE WHEN CRC32(CONCAT(creneau.n, 'j')) MOD 100 < 6 THEN 'annule'
            WHEN creneau.debut >= @aujourd_hui THEN 'reserve'
            WHEN CRC32(CONCAT(creneau.n, 'j')) MOD 100 < 14 THEN 'absent'
            ELSE 'honore' END,
       demande.close_le, demande.close_le
FROM marseille_metier.creneau AS creneau
JOIN marseille_metier.demande_rdv AS demande ON demande.id = creneau.demande_id
JOIN marseille_referentiel.motif_rdv AS motif ON motif.id = demande.motif_id
ORDER BY demande.close_le, demande.id;

-- Behind those who have a slot: a queue that waits, and some who gave up.
INSERT INTO marseille_metier.demande_rdv (citoyen_id, motif_id, arrondissement_numero, canal, statut, deposee_le, close_le)
SELECT 1 + CRC32(CONCAT(n, 'k')) MOD @citoyens, 1 + CRC32(CONCAT(n, 'l')) MOD 10, 1 + CRC32(CONCAT(n, 'm')) MOD 16,
       ELT(1 + CRC32(CONCAT(n, 'o')) MOD 4, 'guichet', 'portail', 'portail', 'telephone'),
       IF(n MOD 4 = 0, 'abandonnee', 'en_attente'),
       @aujourd_hui - INTERVAL (CRC32(CONCAT(n, 'p')) MOD 60) DAY,
       IF(n MOD 4 = 0, @aujourd_hui - INTERVAL (CRC32(CONCAT(n, 'p')) MOD 60) DAY + INTERVAL 3 DAY, NULL)
FROM marseille_metier.suite
WHERE n <= GREATEST(20, ROUND(2500 * @echelle))
  AND NOT EXISTS (SELECT 1 FROM marseille_metier.demande_rdv AS deja WHERE deja.statut <> 'planifiee')
ORDER BY n;

INSERT INTO marseille_metier.demande_etat_civil (citoyen_id, nature, nombre_copies, canal, statut, deposee_le, traitee_le)
SELECT 1 + CRC32(CONCAT(n, 'q')) MOD @citoyens,
       ELT(1 + CRC32(CONCAT(n, 'r')) MOD 4, 'naissance', 'mariage', 'deces', 'livret_famille'),
       1 + CRC32(CONCAT(n, 's')) MOD 3,
       ELT(1 + CRC32(CONCAT(n, 't')) MOD 3, 'guichet', 'portail', 'telephone'),
       CASE WHEN n MOD 10 = 0 THEN 'recu' WHEN n MOD 10 = 1 THEN 'en_cours' WHEN n MOD 23 = 0 THEN 'refuse' ELSE 'accepte' END,
       @aujourd_hui - INTERVAL (1 + CRC32(CONCAT(n, 'u')) MOD 180) DAY,
       IF(n MOD 10 < 2, NULL, @aujourd_hui - INTERVAL (1 + CRC32(CONCAT(n, 'u')) MOD 180) DAY
                              + INTERVAL (4 + CRC32(CONCAT(n, 'v')) MOD 200) HOUR)
FROM marseille_metier.suite
WHERE n <= GREATEST(20, ROUND(8000 * @echelle)) AND NOT EXISTS (SELECT 1 FROM marseille_metier.demande_etat_civil AS deja)
ORDER BY n;

INSERT INTO marseille_metier.demande_urbanisme
    (citoyen_id, arrondissement_numero, nature, parcelle, surface_m2, statut, deposee_le, echeance_le, traitee_le)
SELECT 1 + CRC32(CONCAT(n, 'w')) MOD @citoyens, 1 + CRC32(CONCAT(n, 'x')) MOD 16,
       ELT(1 + CRC32(CONCAT(n, 'y')) MOD 3, 'permis_construire', 'declaration_prealable', 'certificat_urbanisme'),
       CONCAT('PARCELLE-', LPAD(1 + (CRC32(CONCAT(n, 'x')) + (n MOD 251 = 5)) MOD 16, 2, '0'), '-', LPAD(CRC32(CONCAT(n, 'z')) MOD 100000, 5, '0')),
       10 + (CRC32(CONCAT(n, 'A')) MOD 90000) / 100,
       CASE WHEN n MOD 10 < 2 THEN 'recu' WHEN n MOD 10 < 4 THEN 'en_cours' WHEN n MOD 7 = 0 THEN 'refuse' ELSE 'accepte' END,
       @aujourd_hui - INTERVAL (1 + CRC32(CONCAT(n, 'B')) MOD 200) DAY,
       @aujourd_hui - INTERVAL (1 + CRC32(CONCAT(n, 'B')) MOD 200) DAY + INTERVAL 60 DAY,
       IF(n MOD 10 < 4, NULL, @aujourd_hui - INTERVAL (1 + CRC32(CONCAT(n, 'B')) MOD 200) DAY
                              + INTERVAL (5 + CRC32(CONCAT(n, 'C')) MOD 70) DAY)
FROM marseille_metier.suite
WHERE n <= GREATEST(20, ROUND(3000 * @echelle)) AND NOT EXISTS (SELECT 1 FROM marseille_metier.demande_urbanisme AS deja)
ORDER BY n;

DROP TEMPORARY TABLE marseille_metier.creneau, marseille_metier.suite;
