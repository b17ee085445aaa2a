-- Citizens, appointments and requests, generated. Nobody in here exists: names are numbers, mail addresses end in
-- .invalid (RFC 2606), telephone numbers are of the range that France keeps for fiction (04 65 71).
--
-- Deterministic: the same scale and reference date give the same rows, on every version and machine. Optional settings:
--     SET dbwatch.scale = '1';                       -- 1: about 50,000 rows
--     SET dbwatch.reference_date = '2026-01-05';     -- "today" of the generated data
-- Tables that already hold rows are left alone. A few rows are wrong on purpose, for the views of schema qualite to find.

BEGIN;

-- Adding days to an instant depends on the session's time zone: summer time would make other rows elsewhere.
SET LOCAL timezone = 'UTC';

-- A number in 0 … range-1 that looks random and never changes: multiplicative hashing, twice, so that neighbours part.
CREATE OR REPLACE FUNCTION pg_temp.tirage(n bigint, sel integer, etendue integer) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT ((((n * 2654435761 + sel * 40503) % 4294967296) * 69069 + sel) % 4294967296 / 65536 % etendue)::integer
$$;

CREATE TEMPORARY TABLE parametre ON COMMIT DROP AS
SELECT greatest(0.01, coalesce(nullif(current_setting('dbwatch.scale', true), '')::numeric, 1))             AS echelle,
       coalesce(nullif(current_setting('dbwatch.reference_date', true), '')::date, DATE '2026-01-05')        AS aujourd_hui;

INSERT INTO metier.citoyen (numero_usager, nom, prenom, date_naissance, courriel, telephone, arrondissement_numero, cree_le, anonymise_le)
SELECT 'CITOYEN-' || numero,
       CASE WHEN NOT anonyme THEN 'NOM-' || personne END,
       CASE WHEN NOT anonyme THEN CASE WHEN n % 601 = 11 THEN '  ' ELSE 'PRENOM-' || personne END END,
       -- Now and then a century is mistyped.
       CASE WHEN NOT anonyme THEN (aujourd_hui - 18 * 365 - pg_temp.tirage(personne::bigint, 1, 25000)
                                   + CASE WHEN n % 401 = 7 THEN INTERVAL '100 years' ELSE INTERVAL '0' END)::date END,
       CASE WHEN joignable THEN 'citoyen-' || numero || '@example.invalid' END,
       CASE WHEN joignable THEN '+3346571' || lpad(pg_temp.tirage(n, 2, 10000)::text, 4, '0') END,
       1 + pg_temp.tirage(n, 3, 16),
       (aujourd_hui - 400 - pg_temp.tirage(n, 4, 1500))::timestamp AT TIME ZONE 'UTC',
       CASE WHEN anonyme THEN (aujourd_hui - 300)::timestamp AT TIME ZONE 'UTC' END
FROM parametre
CROSS JOIN LATERAL generate_series(1, greatest(50, (12000 * echelle)::integer)) AS n
CROSS JOIN LATERAL (
    SELECT lpad(n::text, 6, '0') AS numero, n % 211 = 0 AS anonyme, n % 211 <> 0 AND n % 307 <> 3 AS joignable,
           -- A few people have a second file, under a number of its own.
           lpad((n - (n % 499 = 0)::integer)::text, 6, '0') AS personne
) AS derive
WHERE NOT EXISTS (SELECT FROM metier.citoyen)
ORDER BY n;

-- Every slot of half an hour, of every counter, on the working days around the reference date; about two in three taken.
CREATE TEMPORARY TABLE creneau ON COMMIT DROP AS
WITH jour AS (
    SELECT date_jour::date AS jour, aujourd_hui
    FROM parametre
    CROSS JOIN LATERAL generate_series(aujourd_hui - greatest(5, (20 * echelle)::integer),
                                       aujourd_hui + greatest(3, (10 * echelle)::integer), INTERVAL '1 day') AS date_jour
    WHERE extract(isodow FROM date_jour) < 6
), offre AS (
    SELECT jour.jour, jour.aujourd_hui, guichet.id AS guichet_id, guichet.arrondissement_numero, guichet.service_id, rang,
           row_number() OVER (ORDER BY jour.jour, rang, guichet.id) AS n,
           (jour.jour + TIME '08:30' + rang * INTERVAL '30 minutes'
                + CASE WHEN rang >= 7 THEN INTERVAL '1 hour' ELSE INTERVAL '0' END) AT TIME ZONE 'Europe/Paris' AS debut
    FROM jour
    CROSS JOIN generate_series(0, 13) AS rang
    CROSS JOIN referentiel.guichet AS guichet
)
SELECT row_number() OVER (ORDER BY n) AS demande_id, offre.*
FROM offre
-- The centre is busier than the edge: 78 % in the first district, 48 % in the sixteenth.
WHERE pg_temp.tirage(n, 5, 100) < 80 - 2 * arrondissement_numero
  AND NOT EXISTS (SELECT FROM metier.demande_rdv);

CREATE TEMPORARY TABLE tirage_rdv ON COMMIT DROP AS
SELECT creneau.demande_id, creneau.guichet_id, creneau.arrondissement_numero, creneau.debut, creneau.debut < aujourd_hui AS passe,
       motif.id AS motif_id, motif.duree_minutes,
       citoyen.premier + pg_temp.tirage(n, 6, citoyen.nombre) AS citoyen_id,
       (ARRAY['guichet', 'portail', 'portail', 'telephone']::metier.canal[])[1 + pg_temp.tirage(n, 7, 4)] AS canal,
       creneau.debut - make_interval(days => 1 + pg_temp.tirage(n, 8, 12) * creneau.service_id, hours => pg_temp.tirage(n, 9, 9)) AS deposee_le,
       pg_temp.tirage(n, 10, 100) AS sort
FROM creneau
JOIN LATERAL (
    SELECT id, duree_minutes FROM referentiel.motif_rdv
    WHERE service_id = creneau.service_id
    ORDER BY code OFFSET pg_temp.tirage(creneau.n, 11, 2) LIMIT 1
) AS motif ON true
CROSS JOIN (SELECT min(id) AS premier, count(*)::integer AS nombre FROM metier.citoyen) AS citoyen;

INSERT INTO metier.demande_rdv (id, citoyen_id, motif_id, arrondissement_numero, canal, statut, deposee_le, close_le)
OVERRIDING SYSTEM VALUE
SELECT demande_id, citoyen_id, motif_id, arrondissement_numero, canal, 'planifiee', deposee_le, deposee_le + INTERVAL '20 minutes'
FROM tirage_rdv
ORDER BY demande_id;

INSERT INTO metier.rendez_vous (demande_id, citoyen_id, guichet_id, debut, fin, statut, cree_le, modifie_le)
SELECT demande_id, citoyen_id, guichet_id, debut, debut + make_interval(mins => duree_minutes),
       CASE WHEN sort < 6 THEN 'annule' WHEN NOT passe THEN 'reserve' WHEN sort < 14 THEN 'absent' ELSE 'honore' END::metier.statut_rendez_vous,
       deposee_le + INTERVAL '20 minutes', deposee_le + INTERVAL '20 minutes'
FROM tirage_rdv
ORDER BY guichet_id, debut;

-- Behind those who have a slot: a queue that waits, and some who gave up.
SELECT setval(pg_get_serial_sequence('metier.demande_rdv', 'id'), greatest(1, (SELECT max(id) FROM metier.demande_rdv)));

INSERT INTO metier.demande_rdv (citoyen_id, motif_id, arrondissement_numero, canal, statut, deposee_le, close_le)
SELECT citoyen.premier + pg_temp.tirage(n, 12, citoyen.nombre), motif.premier + pg_temp.tirage(n, 13, motif.nombre),
       1 + pg_temp.tirage(n, 14, 16),
       (ARRAY['guichet', 'portail', 'portail', 'telephone']::metier.canal[])[1 + pg_temp.tirage(n, 15, 4)],
       CASE WHEN n % 4 = 0 THEN 'abandonnee' ELSE 'en_attente' END::metier.statut_demande_rdv,
       derive.deposee_le,
       CASE WHEN n % 4 = 0 THEN derive.deposee_le + INTERVAL '3 days' END
FROM parametre
CROSS JOIN LATERAL generate_series(1, greatest(20, (2500 * echelle)::integer)) AS n
CROSS JOIN LATERAL (SELECT (aujourd_hui - pg_temp.tirage(n, 16, 60))::timestamp AT TIME ZONE 'UTC' AS deposee_le) AS derive
CROSS JOIN (SELECT min(id) AS premier, count(*)::integer AS nombre FROM metier.citoyen) AS citoyen
CROSS JOIN (SELECT min(id) AS premier, count(*)::integer AS nombre FROM referentiel.motif_rdv) AS motif
WHERE NOT EXISTS (SELECT FROM metier.demande_rdv WHERE statut <> 'planifiee')
ORDER BY n;

INSERT INTO metier.demande_etat_civil (citoyen_id, nature, nombre_copies, canal, statut, deposee_le, traitee_le)
SELECT citoyen.premier + pg_temp.tirage(n, 17, citoyen.nombre),
       (enum_range(NULL::metier.nature_acte))[1 + pg_temp.tirage(n, 18, 4)],
       1 + pg_temp.tirage(n, 19, 3),
       (enum_range(NULL::metier.canal))[1 + pg_temp.tirage(n, 20, 3)],
       derive.statut, derive.deposee_le,
       CASE WHEN derive.statut IN ('accepte', 'refuse') THEN derive.deposee_le + make_interval(hours => 4 + pg_temp.tirage(n, 21, 200)) END
FROM parametre
CROSS JOIN LATERAL generate_series(1, greatest(20, (8000 * echelle)::integer)) AS n
CROSS JOIN LATERAL (
    SELECT (enum_range(NULL::metier.statut_dossier))[CASE WHEN n % 10 < 2 THEN 1 + n % 2 ELSE 3 + (n % 23 = 0)::integer END] AS statut,
           (aujourd_hui - 1 - pg_temp.tirage(n, 22, 180))::timestamp AT TIME ZONE 'UTC' AS deposee_le
) AS derive
CROSS JOIN (SELECT min(id) AS premier, count(*)::integer AS nombre FROM metier.citoyen) AS citoyen
WHERE NOT EXISTS (SELECT FROM metier.demande_etat_civil)
ORDER BY n;

INSERT INTO metier.demande_urbanisme
    (citoyen_id, arrondissement_numero, nature, parcelle, surface_m2, statut, deposee_le, echeance_le, traitee_le)
SELECT citoyen.premier + pg_temp.tirage(n, 23, citoyen.nombre), derive.arrondissement,
       (enum_range(NULL::metier.nature_urbanisme))[1 + pg_temp.tirage(n, 24, 3)],
       -- A few plots are filed under the next district.
       'PARCELLE-' || lpad((1 + (derive.arrondissement - 1 + (n % 251 = 5)::integer) % 16)::text, 2, '0') || '-' || lpad(pg_temp.tirage(n, 25, 100000)::text, 5, '0'),
       10 + pg_temp.tirage(n, 26, 90000) / 100.0,
       derive.statut, derive.deposee_le, (derive.deposee_le AT TIME ZONE 'UTC')::date + 60,
       CASE WHEN derive.statut IN ('accepte', 'refuse') THEN derive.deposee_le + make_interval(days => 5 + pg_temp.tirage(n, 27, 70)) END
FROM parametre
CROSS JOIN LATERAL generate_series(1, greatest(20, (3000 * echelle)::integer)) AS n
CROSS JOIN LATERAL (
    SELECT (1 + pg_temp.tirage(n, 28, 16))::smallint AS arrondissement,
           (enum_range(NULL::metier.statut_dossier))[CASE WHEN n % 10 < 4 THEN 1 + n % 2 ELSE 3 + (n % 7 = 0)::integer END] AS statut,
           (aujourd_hui - 1 - pg_temp.tirage(n, 29, 200))::timestamp AT TIME ZONE 'UTC' AS deposee_le
) AS derive
CROSS JOIN (SELECT min(id) AS premier, count(*)::integer AS nombre FROM metier.citoyen) AS citoyen
WHERE NOT EXISTS (SELECT FROM metier.demande_urbanisme)
ORDER BY n;

COMMIT;
