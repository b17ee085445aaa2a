"""One table of a PostgreSQL's dump, with all that its list does not tell: restored beside the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.engines.backing import DumpOptions, Selection, Target
from tests import postgres_backing as backing
from tests.fix_postgres import debian_binaries
from tests.fix_process import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_postgres import Clusters, Postgres

pytestmark = pytest.mark.engine
ROLES = """
CREATE ROLE mairie; CREATE ROLE lecteur; CREATE ROLE "Agent d'accueil"; CREATE ROLE metier_fonctions; CREATE ROLE autre;
"""
TABLE = """
CREATE SCHEMA outils;
CREATE EXTENSION btree_gist SCHEMA outils;
CREATE FUNCTION public.demi(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
ALTER FUNCTION public.demi OWNER TO metier_fonctions;
CREATE TABLE public.salle (id integer PRIMARY KEY);
ALTER TABLE public.salle OWNER TO autre;
CREATE TABLE public.rdv (
    salle integer CONSTRAINT la_salle REFERENCES public.salle,
    quand tstzrange,
    CONSTRAINT libre EXCLUDE USING gist (public.demi(salle) WITH =, quand WITH &&)
);
COMMENT ON CONSTRAINT la_salle ON public.rdv IS 'where it is';
COMMENT ON CONSTRAINT libre ON public.rdv IS 'nobody else is there';
ALTER TABLE public.rdv OWNER TO mairie;
GRANT SELECT ON public.rdv TO lecteur;
CREATE POLICY accueil ON public.rdv TO "Agent d'accueil" USING (true);
INSERT INTO public.salle VALUES (1);
INSERT INTO public.rdv VALUES (1, '[2026-01-01, 2026-01-02)');
"""
MAKING = """CREATE ROLE "Agent d'accueil"; CREATE ROLE lecteur; CREATE ROLE mairie; CREATE ROLE metier_fonctions;"""
HELD = """
SELECT (SELECT count(*) FROM public.rdv), (SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint
WHERE conrelid = 'public.rdv'::regclass), to_regclass('public.salle')
"""


@pytest.fixture(scope="module")
def source(clusters: Clusters) -> Iterator[Postgres]:
    with clusters.new(debian_binaries()) as server:
        server.psql(ROLES)
        server.psql("CREATE DATABASE ville")
        server.psql(TABLE, "ville")
        yield server


@pytest.fixture
def room() -> Iterator[Path]:
    """A short path: sockets stand in it."""
    with workspace() as directory:
        yield directory


async def test_a_table_comes_back_aside_with_an_exclusion_and_a_comment_on_its_foreign_key_once_its_roles_are_there(
    source: Postgres, clusters: Clusters, room: Path
) -> None:
    taken = await backing.take(backing.as_superuser(source), room / "set", DumpOptions(include=("ville",)))
    aside = Selection("ville", "public", "rdv", "beside")
    (room / "passwords").mkdir()
    with clusters.new(debian_binaries()) as rescue:
        rescue.psql("CREATE ROLE autre")
        there = backing.as_superuser(rescue)
        target = Target(there, room / "passwords", await backing.engine().client_programs(taken.manifest, ()))
        obstacles = await backing.engine().obstacles(taken.manifest, taken.directory, target, aside, None)
        rescue.psql(MAKING)
        after = await backing.engine().obstacles(taken.manifest, taken.directory, target, aside, None)
        await backing.restore(taken, target, aside)
        held = rescue.psql(HELD, "beside")

    assert [f"(Agent d'accueil, lecteur, mairie, metier_fonctions): {MAKING}"] == [
        each[each.index("(") :] for each in obstacles
    ]
    assert [] == list(after)
    assert "1|libre|" == held
