-- Citizens, appointments and requests. Every instant is a timestamptz; amounts of time are minutes or days, and say so.
SET ROLE marseille_owner;

CREATE TABLE IF NOT EXISTS metier.citoyen (
    id                    bigint      GENERATED ALWAYS AS IDENTITY,
    numero_usager         text        NOT NULL,
    nom                   text,
    prenom                text,
    date_naissance        date,
    courriel              metier.courriel,
    telephone             metier.telephone,
    arrondissement_numero smallint    NOT NULL,
    cree_le               timestamptz NOT NULL DEFAULT now(),
    anonymise_le          timestamptz,
    CONSTRAINT pk_citoyen PRIMARY KEY (id),
    CONSTRAINT uq_citoyen_numero_usager UNIQUE (numero_usager),
    CONSTRAINT ck_citoyen_numero_usager CHECK (numero_usager ~ '^CITOYEN-[0-9]{6,}$'),
    CONSTRAINT ck_citoyen_naissance CHECK (date_naissance >= DATE '1900-01-01'),
    -- The right to be forgotten, kept by the database: an anonymised file names nobody, any other names somebody.
    CONSTRAINT ck_citoyen_anonymise CHECK (
        CASE WHEN anonymise_le IS NULL THEN num_nulls(nom, prenom, date_naissance) = 0
             ELSE num_nonnulls(nom, prenom, date_naissance, courriel, telephone) = 0 END)
);
COMMENT ON TABLE  metier.citoyen IS 'Users of the town''s services. Personal data. In the demonstration: generated, nobody exists.';
COMMENT ON COLUMN metier.citoyen.numero_usager IS 'The number on the citizen''s letters; says nothing about the person.';
COMMENT ON COLUMN metier.citoyen.anonymise_le IS 'When the file was emptied of what names the person; NULL as long as it was not.';

CREATE TABLE IF NOT EXISTS metier.demande_rdv (
    id                    bigint                    GENERATED ALWAYS AS IDENTITY,
    citoyen_id            bigint                    NOT NULL,
    motif_id              smallint                  NOT NULL,
    arrondissement_numero smallint                  NOT NULL,
    canal                 metier.canal              NOT NULL,
    statut                metier.statut_demande_rdv NOT NULL DEFAULT 'en_attente',
    deposee_le            timestamptz               NOT NULL DEFAULT now(),
    close_le              timestamptz,
    CONSTRAINT pk_demande_rdv PRIMARY KEY (id),
    CONSTRAINT ck_demande_rdv_close CHECK ((statut = 'en_attente') = (close_le IS NULL)),
    CONSTRAINT ck_demande_rdv_ordre CHECK (close_le >= deposee_le)
);
COMMENT ON TABLE  metier.demande_rdv IS 'A citizen''s wish for an appointment, until a slot is found for it.';
COMMENT ON COLUMN metier.demande_rdv.arrondissement_numero IS 'Where the citizen would like to come, not where they live.';
COMMENT ON COLUMN metier.demande_rdv.close_le IS 'When it left the queue, with a slot or without.';

CREATE TABLE IF NOT EXISTS metier.rendez_vous (
    id          bigint                    GENERATED ALWAYS AS IDENTITY,
    demande_id  bigint                    NOT NULL,
    citoyen_id  bigint                    NOT NULL,
    guichet_id  integer                   NOT NULL,
    debut       timestamptz               NOT NULL,
    fin         timestamptz               NOT NULL,
    statut      metier.statut_rendez_vous NOT NULL DEFAULT 'reserve',
    cree_le     timestamptz               NOT NULL DEFAULT now(),
    modifie_le  timestamptz               NOT NULL DEFAULT now(),
    CONSTRAINT pk_rendez_vous PRIMARY KEY (id),
    CONSTRAINT ck_rendez_vous_duree CHECK (fin > debut AND fin <= debut + INTERVAL '2 hours')
);
COMMENT ON TABLE  metier.rendez_vous IS 'Appointments. Two that occupy one counter at one time are refused by ex_rendez_vous_guichet.';
COMMENT ON COLUMN metier.rendez_vous.citoyen_id IS 'Repeated from the request: the citizen''s own list is the most frequent question.';

CREATE TABLE IF NOT EXISTS metier.demande_etat_civil (
    id              bigint                GENERATED ALWAYS AS IDENTITY,
    citoyen_id      bigint                NOT NULL,
    nature          metier.nature_acte    NOT NULL,
    nombre_copies   smallint              NOT NULL DEFAULT 1,
    canal           metier.canal          NOT NULL,
    statut          metier.statut_dossier NOT NULL DEFAULT 'recu',
    deposee_le      timestamptz           NOT NULL DEFAULT now(),
    traitee_le      timestamptz,
    CONSTRAINT pk_demande_etat_civil PRIMARY KEY (id),
    CONSTRAINT ck_demande_etat_civil_copies CHECK (nombre_copies BETWEEN 1 AND 10),
    CONSTRAINT ck_demande_etat_civil_traitee CHECK ((statut IN ('accepte', 'refuse')) = (traitee_le IS NOT NULL)),
    CONSTRAINT ck_demande_etat_civil_ordre CHECK (traitee_le >= deposee_le)
);
COMMENT ON TABLE metier.demande_etat_civil IS 'Requests for certificates of the civil registry.';

CREATE TABLE IF NOT EXISTS metier.demande_urbanisme (
    id                    bigint                  GENERATED ALWAYS AS IDENTITY,
    citoyen_id            bigint                  NOT NULL,
    arrondissement_numero smallint                NOT NULL,
    nature                metier.nature_urbanisme NOT NULL,
    parcelle              text                    NOT NULL,
    surface_m2            numeric(9, 2)           NOT NULL,
    statut                metier.statut_dossier   NOT NULL DEFAULT 'recu',
    deposee_le            timestamptz             NOT NULL DEFAULT now(),
    echeance_le           date                    NOT NULL,
    traitee_le            timestamptz,
    CONSTRAINT pk_demande_urbanisme PRIMARY KEY (id),
    CONSTRAINT ck_demande_urbanisme_parcelle CHECK (parcelle ~ '^PARCELLE-[0-9]{2}-[0-9]{5}$'),
    CONSTRAINT ck_demande_urbanisme_surface CHECK (surface_m2 > 0),
    CONSTRAINT ck_demande_urbanisme_traitee CHECK ((statut IN ('accepte', 'refuse')) = (traitee_le IS NOT NULL)),
    CONSTRAINT ck_demande_urbanisme_ordre CHECK (traitee_le >= deposee_le)
);
COMMENT ON TABLE  metier.demande_urbanisme IS 'Applications to the town planning department.';
COMMENT ON COLUMN metier.demande_urbanisme.echeance_le IS 'Legal deadline: past it, silence is consent.';

-- The busiest table is updated in place (statut): room on the page keeps those updates off the indexes, and its dead rows
-- are collected long before a fifth of it is dead.
ALTER TABLE metier.rendez_vous SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

RESET ROLE;
