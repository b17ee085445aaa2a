-- Citizens, appointments and requests: the twin of sql/postgres/ddl/04.
-- Instants are DATETIME in UTC (a TIMESTAMP ends in 2038 on most servers still in use); sessions run with time_zone '+00:00'.
CREATE TABLE IF NOT EXISTS marseille_metier.citoyen (
    id                    BIGINT UNSIGNED  NOT NULL AUTO_INCREMENT,
    numero_usager         VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'On the citizen''s letters; says nothing about the person',
    nom                   VARCHAR(60),
    prenom                VARCHAR(60),
    date_naissance        DATE,
    courriel              VARCHAR(254),
    telephone             VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin COMMENT 'E.164',
    arrondissement_numero TINYINT UNSIGNED NOT NULL,
    cree_le               DATETIME         NOT NULL DEFAULT (UTC_TIMESTAMP()),
    anonymise_le          DATETIME COMMENT 'When the file was emptied of what names the person',
    PRIMARY KEY (id),
    CONSTRAINT uq_citoyen_numero_usager UNIQUE (numero_usager),
    CONSTRAINT uq_citoyen_courriel UNIQUE (courriel),
    CONSTRAINT ck_citoyen_numero_usager CHECK (numero_usager REGEXP '^CITOYEN-[0-9]{6,}$'),
    CONSTRAINT ck_citoyen_courriel CHECK (courriel LIKE '_%@_%'),
    CONSTRAINT ck_citoyen_telephone CHECK (telephone REGEXP '^[+][1-9][0-9]{7,14}$'),
    -- The right to be forgotten, kept by the database: an anonymised file names nobody, any other names somebody.
    CONSTRAINT ck_citoyen_anonymise CHECK (
        (anonymise_le IS NULL AND nom IS NOT NULL AND prenom IS NOT NULL AND date_naissance IS NOT NULL)
        OR (anonymise_le IS NOT NULL AND COALESCE(nom, prenom, courriel, telephone) IS NULL AND date_naissance IS NULL))
) ENGINE = InnoDB COMMENT = 'Personal data. In the demonstration: generated, nobody exists';

CREATE TABLE IF NOT EXISTS marseille_metier.demande_rdv (
    id                    BIGINT UNSIGNED   NOT NULL AUTO_INCREMENT,
    citoyen_id            BIGINT UNSIGNED   NOT NULL,
    motif_id              SMALLINT UNSIGNED NOT NULL,
    arrondissement_numero TINYINT UNSIGNED  NOT NULL COMMENT 'Where the citizen would like to come, not where they live',
    canal                 ENUM('guichet', 'portail', 'telephone') NOT NULL,
    statut                ENUM('en_attente', 'planifiee', 'abandonnee') NOT NULL DEFAULT 'en_attente',
    deposee_le            DATETIME          NOT NULL DEFAULT (UTC_TIMESTAMP()),
    close_le              DATETIME COMMENT 'When it left the queue, with a slot or without',
    PRIMARY KEY (id),
    CONSTRAINT ck_demande_rdv_close CHECK ((statut = 'en_attente') = (close_le IS NULL)),
    CONSTRAINT ck_demande_rdv_ordre CHECK (close_le >= deposee_le)
) ENGINE = InnoDB COMMENT = 'A citizen''s wish for an appointment, until a slot is found for it';

CREATE TABLE IF NOT EXISTS marseille_metier.rendez_vous (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    demande_id BIGINT UNSIGNED NOT NULL,
    citoyen_id BIGINT UNSIGNED NOT NULL COMMENT 'Repeated from the request: the citizen''s own list is the most frequent question',
    guichet_id INT UNSIGNED    NOT NULL,
    debut      DATETIME        NOT NULL,
    fin        DATETIME        NOT NULL,
    statut     ENUM('reserve', 'honore', 'absent', 'annule') NOT NULL DEFAULT 'reserve',
    cree_le    DATETIME        NOT NULL DEFAULT (UTC_TIMESTAMP()),
    modifie_le DATETIME        NOT NULL DEFAULT (UTC_TIMESTAMP()),
    -- NULL where the appointment occupies nothing: a unique key ignores it then. There are no exclusion constraints here, so
    -- appointments start on the half hour and last no longer: equal starts are the only way to collide.
    occupe     TINYINT         GENERATED ALWAYS AS (CASE WHEN statut IN ('reserve', 'honore') THEN 1 END) STORED,
    PRIMARY KEY (id),
    CONSTRAINT uq_rendez_vous_guichet UNIQUE (guichet_id, debut, occupe),
    CONSTRAINT uq_rendez_vous_demande UNIQUE (demande_id, occupe),
    CONSTRAINT ck_rendez_vous_grille CHECK (MINUTE(debut) MOD 30 = 0 AND SECOND(debut) = 0),
    CONSTRAINT ck_rendez_vous_duree CHECK (fin > debut AND fin <= debut + INTERVAL 30 MINUTE)
) ENGINE = InnoDB COMMENT = 'Appointments; no counter receives two citizens at the same time';

CREATE TABLE IF NOT EXISTS marseille_metier.demande_etat_civil (
    id            BIGINT UNSIGNED  NOT NULL AUTO_INCREMENT,
    citoyen_id    BIGINT UNSIGNED  NOT NULL,
    nature        ENUM('naissance', 'mariage', 'deces', 'livret_famille') NOT NULL,
    nombre_copies TINYINT UNSIGNED NOT NULL DEFAULT 1,
    canal         ENUM('guichet', 'portail', 'telephone') NOT NULL,
    statut        ENUM('recu', 'en_cours', 'accepte', 'refuse') NOT NULL DEFAULT 'recu',
    deposee_le    DATETIME         NOT NULL DEFAULT (UTC_TIMESTAMP()),
    traitee_le    DATETIME,
    PRIMARY KEY (id),
    CONSTRAINT ck_demande_etat_civil_copies CHECK (nombre_copies BETWEEN 1 AND 10),
    CONSTRAINT ck_demande_etat_civil_traitee CHECK ((statut IN ('accepte', 'refuse')) = (traitee_le IS NOT NULL)),
    CONSTRAINT ck_demande_etat_civil_ordre CHECK (traitee_le >= deposee_le)
) ENGINE = InnoDB COMMENT = 'Requests for certificates of the civil registry';

CREATE TABLE IF NOT EXISTS marseille_metier.demande_urbanisme (
    id                    BIGINT UNSIGNED  NOT NULL AUTO_INCREMENT,
    citoyen_id            BIGINT UNSIGNED  NOT NULL,
    arrondissement_numero TINYINT UNSIGNED NOT NULL,
    nature                ENUM('permis_construire', 'declaration_prealable', 'certificat_urbanisme') NOT NULL,
    parcelle              VARCHAR(17) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    surface_m2            DECIMAL(9, 2)    NOT NULL,
    statut                ENUM('recu', 'en_cours', 'accepte', 'refuse') NOT NULL DEFAULT 'recu',
    deposee_le            DATETIME         NOT NULL DEFAULT (UTC_TIMESTAMP()),
    echeance_le           DATE             NOT NULL COMMENT 'Legal deadline: past it, silence is consent',
    traitee_le            DATETIME,
    PRIMARY KEY (id),
    CONSTRAINT ck_demande_urbanisme_parcelle CHECK (parcelle REGEXP '^PARCELLE-[0-9]{2}-[0-9]{5}$'),
    CONSTRAINT ck_demande_urbanisme_surface CHECK (surface_m2 > 0),
    CONSTRAINT ck_demande_urbanisme_traitee CHECK ((statut IN ('accepte', 'refuse')) = (traitee_le IS NOT NULL)),
    CONSTRAINT ck_demande_urbanisme_ordre CHECK (traitee_le >= deposee_le)
) ENGINE = InnoDB COMMENT = 'Applications to the town planning department';
