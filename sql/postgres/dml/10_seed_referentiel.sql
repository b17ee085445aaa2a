-- Reference data. Run again after a change: rows are matched by their code and brought up to date.
INSERT INTO referentiel.arrondissement (numero, libelle)
SELECT numero, 'Marseille ' || numero || CASE numero WHEN 1 THEN 'er' ELSE 'e' END || ' arrondissement'
FROM generate_series(1, 16) AS numero
ON CONFLICT (numero) DO UPDATE SET libelle = excluded.libelle;

INSERT INTO referentiel.service_municipal (code, libelle, delai_cible_jours, recoit_du_public) VALUES
    ('ETATCIV', 'État civil',                    10, true),
    ('IDENTITE', 'Titres d''identité',           30, true),
    ('URBANISM', 'Urbanisme',                    21, true),
    ('SCOLAIRE', 'Inscriptions scolaires',       15, true),
    ('ARCHIVES', 'Archives municipales',         45, false)
ON CONFLICT (code) DO UPDATE SET libelle = excluded.libelle, delai_cible_jours = excluded.delai_cible_jours,
    recoit_du_public = excluded.recoit_du_public;

INSERT INTO referentiel.motif_rdv (service_id, code, libelle, duree_minutes)
SELECT service.id, motif.code, motif.libelle, motif.duree_minutes
FROM (VALUES
    ('ETATCIV',  'EC-ACTE',    'Demande d''acte',                          15),
    ('ETATCIV',  'EC-LIVRET',  'Livret de famille',                        20),
    ('ETATCIV',  'EC-PACS',    'Enregistrement d''un PACS',                30),
    ('IDENTITE', 'ID-CNI',     'Carte nationale d''identité',              20),
    ('IDENTITE', 'ID-PASS',    'Passeport',                                20),
    ('IDENTITE', 'ID-RETRAIT', 'Retrait d''un titre',                      10),
    ('URBANISM', 'UR-PERMIS',  'Dépôt d''un permis de construire',         30),
    ('URBANISM', 'UR-DECLA',   'Déclaration préalable de travaux',         25),
    ('SCOLAIRE', 'SC-INSCR',   'Première inscription',                     25),
    ('SCOLAIRE', 'SC-CANTINE', 'Restauration scolaire',                    15)
) AS motif (service, code, libelle, duree_minutes)
JOIN referentiel.service_municipal AS service ON service.code = motif.service
ON CONFLICT (code) DO UPDATE SET libelle = excluded.libelle, duree_minutes = excluded.duree_minutes;

INSERT INTO referentiel.guichet (code, arrondissement_numero, service_id)
SELECT 'GUICHET-' || lpad(arrondissement.numero::text, 2, '0') || '-' || service.code, arrondissement.numero, service.id
FROM referentiel.arrondissement AS arrondissement
CROSS JOIN referentiel.service_municipal AS service
WHERE service.recoit_du_public
ORDER BY arrondissement.numero, service.id
ON CONFLICT (code) DO NOTHING;
