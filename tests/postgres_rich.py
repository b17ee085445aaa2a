"""A database with one of everything that a dump may lose, and somebody who writes to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbwatch.engines.backing import Source
    from tests.fix_postgres import Postgres

ROLES = """
CREATE ROLE mairie NOLOGIN;
CREATE ROLE "Agent d'accueil" LOGIN PASSWORD 'agent-pass' IN ROLE mairie;
COMMENT ON ROLE mairie IS 'She said: "it''s; fine"';
ALTER ROLE mairie SET work_mem = '8MB';
"""
SCHEMA = """
CREATE EXTENSION pg_trgm;
CREATE SCHEMA metier AUTHORIZATION mairie;
SET search_path = metier, public;
CREATE TYPE etat AS ENUM ('demande', 'confirme', 'annule');
CREATE DOMAIN courriel AS text CHECK (VALUE LIKE '%@%');
CREATE TYPE adresse AS (rue text, code varchar(5));
CREATE FUNCTION horodate() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN NEW.modifie = now(); RETURN NEW; END$$;
CREATE FUNCTION double(n int) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT n * 2$$;
CREATE TABLE citoyens (
    id serial PRIMARY KEY,
    nom text NOT NULL,
    mail courriel UNIQUE,
    civilite varchar(4) CHECK (civilite IN ('M', 'Mme', 'Mx')),
    domicile adresse,
    solde numeric(10, 2) DEFAULT 0,
    taux double precision,
    prix money,
    piece bytea,
    profil jsonb,
    tags text[],
    inscrit timestamptz DEFAULT '2026-01-02 03:04:05+02',
    nom_court text GENERATED ALWAYS AS (left(nom, 3)) STORED,
    modifie timestamptz
);
CREATE TABLE rdv (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    citoyen int NOT NULL REFERENCES citoyens,
    etat etat NOT NULL DEFAULT 'demande',
    quand tstzrange,
    CONSTRAINT ordre CHECK (id > 0)
);
CREATE INDEX rdv_etat ON rdv (etat) WHERE etat <> 'annule';
CREATE INDEX citoyens_nom ON citoyens USING gin (nom gin_trgm_ops);
CREATE STATISTICS citoyens_stats ON nom, mail FROM citoyens;
CREATE TRIGGER horodate BEFORE UPDATE ON citoyens FOR EACH ROW WHEN (OLD.nom <> NEW.nom) EXECUTE FUNCTION horodate();
CREATE VIEW actifs AS
    SELECT c.id, c.nom FROM citoyens c JOIN rdv r ON r.citoyen = c.id WHERE r.etat::text IN ('a', 'b');
CREATE MATERIALIZED VIEW totaux AS SELECT etat, count(*) AS n FROM rdv GROUP BY etat;
CREATE RULE jamais AS ON DELETE TO rdv WHERE OLD.id < 0 DO INSTEAD NOTHING;
ALTER TABLE rdv ENABLE ROW LEVEL SECURITY;
CREATE POLICY les_siens ON rdv FOR SELECT TO mairie USING (citoyen > 0);
CREATE TABLE journal (jour date NOT NULL, texte text) PARTITION BY RANGE (jour);
CREATE TABLE journal_2025 PARTITION OF journal FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE journal_2026 PARTITION OF journal FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX journal_jour ON journal (jour);
CREATE TABLE aines (retraite date) INHERITS (citoyens);
ALTER TABLE citoyens ADD COLUMN dernier text;
CREATE TABLE vide ();
CREATE UNLOGGED TABLE brouillon (id int);
CREATE TABLE "Table avec ""nom"" étrange" ("a b" int, "ç" text);
CREATE TABLE a_nous (id int, x int);
COMMENT ON TABLE citoyens IS 'Les citoyens; leur nom, leur adresse.';
COMMENT ON COLUMN citoyens.nom IS 'd''usage';
GRANT SELECT ON citoyens TO mairie;
GRANT UPDATE (nom) ON citoyens TO "Agent d'accueil";
GRANT USAGE ON SEQUENCE citoyens_id_seq TO mairie;
REVOKE EXECUTE ON FUNCTION double(int) FROM PUBLIC;
ALTER TABLE rdv OWNER TO mairie;
ALTER DEFAULT PRIVILEGES IN SCHEMA metier GRANT SELECT ON TABLES TO mairie;
CREATE PUBLICATION tout FOR TABLE journal;
CREATE FUNCTION garde() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$;
CREATE EVENT TRIGGER garde ON ddl_command_end EXECUTE FUNCTION garde();
"""
ROWS = """
SET search_path = metier, public;
INSERT INTO citoyens (nom, mail, civilite, domicile, solde, taux, prix, piece, profil, tags)
SELECT 'Nom ' || n, 'c' || n || '@marseille.fr', (ARRAY['M', 'Mme', 'Mx'])[n % 3 + 1], ('rue ' || n, '13001')::adresse,
       n / 7.0, 1.0 / n, (n * 1.5)::text::money, decode(md5(n::text), 'hex'), jsonb_build_object('n', n, 'e', 'é'),
       ARRAY['x', NULL, n::text]
FROM generate_series(1, 3000) AS n;
INSERT INTO rdv (citoyen, quand) SELECT n, tstzrange('2026-01-01', '2026-01-02') FROM generate_series(1, 2000) AS n;
INSERT INTO journal SELECT date '2025-06-01' + n, 'jour ' || n FROM generate_series(1, 400) AS n;
INSERT INTO aines (nom, retraite) VALUES ('Ancien', '2020-01-01');
INSERT INTO brouillon SELECT generate_series(1, 10);
INSERT INTO "Table avec ""nom"" étrange" VALUES (1, 'ü'), (NULL, NULL);
INSERT INTO a_nous SELECT n, n FROM generate_series(1, 1000) AS n;
SELECT lo_from_bytea(0, decode(repeat('ab', 5000), 'hex')), lo_from_bytea(0, 'x');
REFRESH MATERIALIZED VIEW totaux;
"""
WRITE = """
INSERT INTO metier.a_nous SELECT n, n FROM generate_series(1, 20) AS n;
UPDATE metier.citoyens SET solde = solde + 1 WHERE id % 50 = 0;
DELETE FROM metier.rdv WHERE id IN (SELECT id FROM metier.rdv LIMIT 1);
"""


def create(server: Postgres, database: str = "marseille", options: str = "") -> None:
    server.psql(f'CREATE DATABASE "{database}" TEMPLATE template0 {options}')
    server.psql(f'ALTER DATABASE "{database}" SET work_mem = \'5MB\'; GRANT CONNECT ON DATABASE "{database}" TO mairie')
    server.psql(SCHEMA + ROWS, database)


class Writer:
    """An application that never rests. As `meanwhile` of a dump it writes until the snapshot's rows were read."""

    def __init__(self, server: Postgres, database: str = "marseille") -> None:
        self._server, self._database = server, database
        self.writes = 0

    async def run(self) -> None:
        session = await self._server.admin(self._database)
        try:
            while True:
                await session.execute(WRITE)
                self.writes += 1
        finally:
            session.terminate()

    async def a_while(self, _source: Source) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.run(), 0.5)
