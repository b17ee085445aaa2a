-- Reference tables: the twin of sql/postgres/ddl/03. Codes compare by their bytes (utf8mb4_bin), texts as people read them.
CREATE TABLE IF NOT EXISTS marseille_referentiel.arrondissement (
    numero      TINYINT UNSIGNED NOT NULL,
    code_insee  CHAR(5) CHARACTER SET ascii GENERATED ALWAYS AS (13200 + numero) STORED COMMENT 'Follows from the number: 13201 to 13216',
    code_postal CHAR(5) CHARACTER SET ascii GENERATED ALWAYS AS (13000 + numero) STORED,
    libelle     VARCHAR(60)      NOT NULL,
    PRIMARY KEY (numero),
    CONSTRAINT uq_arrondissement_libelle UNIQUE (libelle),
    CONSTRAINT ck_arrondissement_numero CHECK (numero BETWEEN 1 AND 16)
) ENGINE = InnoDB COMMENT = 'The sixteen districts of Marseille';

CREATE TABLE IF NOT EXISTS marseille_referentiel.service_municipal (
    id                SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT,
    code              VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    libelle           VARCHAR(60)       NOT NULL,
    delai_cible_jours SMALLINT UNSIGNED NOT NULL COMMENT 'Days between a request and its appointment that the department promises',
    recoit_du_public  BOOLEAN           NOT NULL DEFAULT TRUE,
    PRIMARY KEY (id),
    CONSTRAINT uq_service_municipal_code UNIQUE (code),
    CONSTRAINT ck_service_municipal_code CHECK (code REGEXP '^[A-Z]{3,8}$'),
    CONSTRAINT ck_service_municipal_delai CHECK (delai_cible_jours BETWEEN 1 AND 365)
) ENGINE = InnoDB COMMENT = 'Departments of the town hall';

CREATE TABLE IF NOT EXISTS marseille_referentiel.motif_rdv (
    id            SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT,
    service_id    SMALLINT UNSIGNED NOT NULL,
    code          VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    libelle       VARCHAR(60)       NOT NULL,
    duree_minutes TINYINT UNSIGNED  NOT NULL,
    actif         BOOLEAN           NOT NULL DEFAULT TRUE COMMENT 'Retired reasons stay: old appointments point at them',
    PRIMARY KEY (id),
    CONSTRAINT uq_motif_rdv_code UNIQUE (code),
    CONSTRAINT ck_motif_rdv_duree CHECK (duree_minutes BETWEEN 5 AND 30 AND duree_minutes MOD 5 = 0)
) ENGINE = InnoDB COMMENT = 'Reasons for an appointment, each of one department';

CREATE TABLE IF NOT EXISTS marseille_referentiel.guichet (
    id                    INT UNSIGNED      NOT NULL AUTO_INCREMENT,
    code                  VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    arrondissement_numero TINYINT UNSIGNED  NOT NULL,
    service_id            SMALLINT UNSIGNED NOT NULL,
    ouvert                BOOLEAN           NOT NULL DEFAULT TRUE,
    PRIMARY KEY (id),
    CONSTRAINT uq_guichet_code UNIQUE (code),
    CONSTRAINT uq_guichet_lieu_service UNIQUE (arrondissement_numero, service_id)
) ENGINE = InnoDB COMMENT = 'Counters: one department''s desk in one district';
