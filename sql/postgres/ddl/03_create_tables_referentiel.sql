-- Reference tables. Foreign keys, and whatever else spans tables, are in 05.
SET ROLE marseille_owner;

CREATE TABLE IF NOT EXISTS referentiel.arrondissement (
    numero      smallint NOT NULL,
    code_insee  text     NOT NULL GENERATED ALWAYS AS ((13200 + numero)::text) STORED,
    code_postal text     NOT NULL GENERATED ALWAYS AS ((13000 + numero)::text) STORED,
    secteur     smallint NOT NULL GENERATED ALWAYS AS (
        CASE WHEN numero IN (1, 7) THEN 1 WHEN numero IN (2, 3) THEN 2 WHEN numero IN (4, 5) THEN 3
             WHEN numero IN (6, 8) THEN 4 ELSE (numero + 1) / 2 END) STORED,
    libelle     text     NOT NULL,
    CONSTRAINT pk_arrondissement PRIMARY KEY (numero),
    CONSTRAINT ck_arrondissement_numero CHECK (numero BETWEEN 1 AND 16),
    CONSTRAINT uq_arrondissement_libelle UNIQUE (libelle)
);
COMMENT ON TABLE  referentiel.arrondissement IS 'The sixteen districts of Marseille.';
COMMENT ON COLUMN referentiel.arrondissement.code_insee IS 'Follows from the number: 13201 … 13216.';
COMMENT ON COLUMN referentiel.arrondissement.secteur IS 'Two districts share one of eight district halls.';

CREATE TABLE IF NOT EXISTS referentiel.service_municipal (
    id                smallint GENERATED ALWAYS AS IDENTITY,
    code              text     NOT NULL,
    libelle           text     NOT NULL,
    delai_cible_jours smallint NOT NULL,
    recoit_du_public  boolean  NOT NULL DEFAULT true,
    CONSTRAINT pk_service_municipal PRIMARY KEY (id),
    CONSTRAINT uq_service_municipal_code UNIQUE (code),
    CONSTRAINT ck_service_municipal_code CHECK (code ~ '^[A-Z]{3,8}$'),
    CONSTRAINT ck_service_municipal_delai CHECK (delai_cible_jours BETWEEN 1 AND 365)
);
COMMENT ON TABLE  referentiel.service_municipal IS 'Departments of the town hall.';
COMMENT ON COLUMN referentiel.service_municipal.delai_cible_jours IS 'Days between a request and its appointment that the department promises.';

CREATE TABLE IF NOT EXISTS referentiel.motif_rdv (
    id             smallint GENERATED ALWAYS AS IDENTITY,
    service_id     smallint NOT NULL,
    code           text     NOT NULL,
    libelle        text     NOT NULL,
    duree_minutes  smallint NOT NULL,
    actif          boolean  NOT NULL DEFAULT true,
    CONSTRAINT pk_motif_rdv PRIMARY KEY (id),
    CONSTRAINT uq_motif_rdv_code UNIQUE (code),
    CONSTRAINT ck_motif_rdv_duree CHECK (duree_minutes BETWEEN 5 AND 120 AND duree_minutes % 5 = 0)
);
COMMENT ON TABLE  referentiel.motif_rdv IS 'Reasons for an appointment, each of one department.';
COMMENT ON COLUMN referentiel.motif_rdv.actif IS 'Retired reasons stay: old appointments point at them.';

CREATE TABLE IF NOT EXISTS referentiel.guichet (
    id                    integer  GENERATED ALWAYS AS IDENTITY,
    code                  text     NOT NULL,
    arrondissement_numero smallint NOT NULL,
    service_id            smallint NOT NULL,
    ouvert                boolean  NOT NULL DEFAULT true,
    CONSTRAINT pk_guichet PRIMARY KEY (id),
    CONSTRAINT uq_guichet_code UNIQUE (code),
    CONSTRAINT uq_guichet_lieu_service UNIQUE (arrondissement_numero, service_id)
);
COMMENT ON TABLE referentiel.guichet IS 'Counters: one department''s desk in one district.';

RESET ROLE;
