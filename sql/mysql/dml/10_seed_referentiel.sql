-- Reference data: rows are matched by their code and brought up to date.
INSERT INTO marseille_referentiel.arrondissement (numero, libelle)
WITH RECURSIVE suite (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM suite WHERE n < 16)
SELECT n, CONCAT('Marseille ', n, IF(n = 1, 'er', 'e'), ' arrondissement') FROM suite
ON DUPLICATE KEY UPDATE libelle = VALUES(libelle);

INSERT INTO marseille_referentiel.service_municipal (code, libelle, delai_cible_jours, recoit_du_public) VALUES
    ('ETATCIV',  'État civil',               10, TRUE),
    ('IDENTITE', 'Titres d''identité',       30, TRUE),
    ('URBANISM', 'Urbanisme',                21, TRUE),
    ('SCOLAIRE', 'Inscriptions scolaires',   15, TRUE),
    ('ARCHIVES', 'Archives municipales',     45, FALSE)
ON DUPLICATE KEY UPDATE libelle = VALUES(libelle), delai_cible_jours = VALUES(delai_cible_jours),
    recoit_du_public = VALUES(recoit_du_public);

INSERT INTO marseille_referentiel.motif_rdv (service_id, code, libelle, duree_minutes)
SELECT service.id, motif.code, motif.libelle, motif.duree_minutes
FROM (
    SELECT 'ETATCIV' AS service, 'EC-ACTE' AS code, 'Demande d''acte' AS libelle, 15 AS duree_minutes
    UNION ALL SELECT 'ETATCIV',  'EC-LIVRET',  'Livret de famille',                20
    UNION ALL SELECT 'ETATCIV',  'EC-PACS',    'Enregistrement d''un PACS',        30
    UNION ALL SELECT 'IDENTITE', 'ID-CNI',     'Carte nationale d''identité',      20
    UNION ALL SELECT 'IDENTITE', 'ID-PASS',    'Passeport',                        20
    UNION ALL SELECT 'IDENTITE', 'ID-RETRAIT', 'Retrait d''un titre',              10
    UNION ALL SELECT 'URBANISM', 'UR-PERMIS',  'Dépôt d''un permis de construire', 30
    UNION ALL SELECT 'URBANISM', 'UR-DECLA',   'Déclaration préalable de travaux', 25
    UNION ALL SELECT 'SCOLAIRE', 'SC-INSCR',   'Première inscription',             25
    UNION ALL SELECT 'SCOLAIRE', 'SC-CANTINE', 'Restauration scolaire',            15
) AS motif
JOIN marseille_referentiel.service_municipal AS service ON service.code = motif.service
ON DUPLICATE KEY UPDATE libelle = motif.libelle, duree_minutes = motif.duree_minutes;

INSERT IGNORE INTO marseille_referentiel.guichet (code, arrondissement_numero, service_id)
SELECT CONCAT('GUICHET-', LPAD(arrondissement.numero, 2, '0'), '-', service.code), arrondissement.numero, service.id
FROM marseille_referentiel.arrondissement AS arrondissement
CROSS JOIN marseille_referentiel.service_municipal AS service
WHERE service.recoit_du_public
ORDER BY arrondissement.numero, service.id;
