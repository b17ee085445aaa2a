-- What the departments do all day: citizens' files, appointments, requests. And the types these tables speak in.
CREATE SCHEMA IF NOT EXISTS metier AUTHORIZATION marseille_owner;
COMMENT ON SCHEMA metier IS 'Citizens'' files and requests: personal data. Only the application role reads it.';

GRANT USAGE ON SCHEMA metier TO marseille_app;
ALTER DEFAULT PRIVILEGES FOR ROLE marseille_owner IN SCHEMA metier GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO marseille_app;

SET ROLE marseille_owner;

DO $types$
DECLARE
    wanted record;
BEGIN
    -- CREATE TYPE and CREATE DOMAIN know no IF NOT EXISTS.
    FOR wanted IN
        SELECT * FROM (VALUES
            ('canal',              'TYPE',   $$AS ENUM ('guichet', 'portail', 'telephone')$$,
             'How the citizen reached us.'),
            ('statut_demande_rdv', 'TYPE',   $$AS ENUM ('en_attente', 'planifiee', 'abandonnee')$$,
             'A wish for an appointment: waiting, given a slot, or given up.'),
            ('statut_rendez_vous', 'TYPE',   $$AS ENUM ('reserve', 'honore', 'absent', 'annule')$$,
             'Only reserve and honore occupy the counter.'),
            ('statut_dossier',     'TYPE',   $$AS ENUM ('recu', 'en_cours', 'accepte', 'refuse')$$,
             'A file is open (recu, en_cours) or closed (accepte, refuse).'),
            ('nature_acte',        'TYPE',   $$AS ENUM ('naissance', 'mariage', 'deces', 'livret_famille')$$,
             'Civil registry: which certificate is asked for.'),
            ('nature_urbanisme',   'TYPE',   $$AS ENUM ('permis_construire', 'declaration_prealable', 'certificat_urbanisme')$$,
             'Town planning: which authorisation is asked for.'),
            ('courriel',           'DOMAIN', $$AS text CONSTRAINT ck_courriel_forme
                 CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND length(VALUE) <= 254)$$,
             'An address that looks like one: whether it answers, only a mail can tell.'),
            ('telephone',          'DOMAIN', $$AS text CONSTRAINT ck_telephone_e164 CHECK (VALUE ~ '^\+[1-9][0-9]{7,14}$')$$,
             'E.164: +33465710000.')
        ) AS list (name, kind, definition, remark)
    LOOP
        IF to_regtype('metier.' || wanted.name) IS NULL THEN
            EXECUTE format('CREATE %s metier.%I %s', wanted.kind, wanted.name, wanted.definition);
        END IF;
        EXECUTE format('COMMENT ON %s metier.%I IS %L', wanted.kind, wanted.name, wanted.remark);
    END LOOP;
END
$types$;

RESET ROLE;
