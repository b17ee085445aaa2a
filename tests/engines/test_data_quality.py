"""The shipped example of operators' own collectors: ten rules on the Marseille data, counted here a second time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from pydantic import TypeAdapter

from dbwatch import engines, library
from dbwatch.demo import DemoServer, demo_estate
from dbwatch.demo.databases import administrator
from dbwatch.demo.drivers import connect
from dbwatch.demo.servers import mariadb_programs
from dbwatch.errors import EngineError
from dbwatch.files import config_root
from dbwatch.poller.once import Target, poll_once
from dbwatch.settings.models import Instance, MysqlInstance, PostgresInstance
from tests.fix_process import missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.poller.once import Poll

    Rows = list[dict[str, Any]]

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

FAMILY = "dbwatch_data_quality_violations"
COLLECTORS = config_root() / "collectors"
MAIN = {"postgres": "marseille", "mysql": "marseille_metier"}
INSTANCE: TypeAdapter[PostgresInstance | MysqlInstance] = TypeAdapter(Instance)
COLUMNS = {
    "metier.citoyen": "id, nom, prenom, date_naissance, courriel, telephone, anonymise_le",
    "metier.rendez_vous": "id, demande_id, citoyen_id, debut, fin, statut",
    "metier.demande_rdv": "id, motif_id, statut, deposee_le",
    "metier.demande_urbanisme": "id, arrondissement_numero, parcelle, statut, echeance_le",
    "referentiel.motif_rdv": "id, service_id",
    "referentiel.service_municipal": "id, delai_cible_jours",
}
BROKEN = {"citizens_twice", "births_impossible", "contact_missing", "names_blank", "plots_of_another_district"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def estate() -> AsyncIterator[Mapping[str, DemoServer]]:
    if mariadb_programs() is None:
        missing("mariadb-server-core")
    async with demo_estate(0.1, ["postgres", "mysql"], reference_date=dt.date(2026, 1, 5)) as started:
        yield {server.engine: server for server in started.servers}


@pytest.fixture(params=["postgres", "mysql"])
def server(request: pytest.FixtureRequest, estate: Mapping[str, DemoServer]) -> DemoServer:
    return estate[request.param]


@cache
def loaded() -> Catalogue:
    return library.load([COLLECTORS])


async def poll(server: DemoServer, *, everything: bool = False) -> Poll:
    """What the daemon's account gets of the ten, or of all that is asked."""
    catalogue = loaded()
    monitor = {"user": server.monitor.user, "password": server.monitor.password}
    described = {"name": "db", "engine": server.engine, "host": server.host, "port": server.port, "monitor": monitor}
    instance = INSTANCE.validate_python(described)
    asked = catalogue.collectors_for(server.engine)
    names = [each.name for each in asked if (each.enabled if everything else FAMILY in each.families)]
    return await poll_once(Target(instance, engines.load(server.engine, catalogue), catalogue), names)


async def violations(server: DemoServer) -> dict[str, float]:
    """By rule, in the main database."""
    samples = [
        sample for block in (await poll(server)).all_blocks if block.family == FAMILY for sample in block.samples()
    ]
    return {labels["rule"]: value for labels, value in samples if labels["database"] == MAIN[server.engine]}


async def tables(server: DemoServer) -> dict[str, Rows]:
    async with administrator(server, server.databases[0], {}) as connection:
        found = {}
        for table, columns in COLUMNS.items():
            name = table if server.engine == "postgres" else f"marseille_{table}"
            rows = await connection.run(f"SELECT {columns} FROM {name}")
            found[table.partition(".")[2]] = [dict(zip(columns.split(", "), row, strict=True)) for row in rows]
        return found


def counted(of: dict[str, Rows]) -> dict[str, int]:
    """Every rule again, in Python and without a view."""
    now = dt.datetime.now(dt.UTC)
    today = now.date()
    citizens = {row["id"]: row for row in of["citoyen"]}
    named = [row for row in of["citoyen"] if row["anonymise_le"] is None]
    people = Counter(
        (row["nom"].strip().lower(), row["prenom"].strip().lower(), row["date_naissance"]) for row in named
    )
    promised = {row["id"]: row["delai_cible_jours"] for row in of["service_municipal"]}
    days = {row["id"]: promised[row["service_id"]] for row in of["motif_rdv"]}
    standing = {row["demande_id"] for row in of["rendez_vous"] if row["statut"] != "annule"}
    plans = of["demande_urbanisme"]
    return {
        "appointments_without_citizen": sum(
            row["statut"] == "reserve" and citizens[row["citoyen_id"]]["anonymise_le"] is not None
            for row in of["rendez_vous"]
        ),
        "citizens_twice": sum(number - 1 for number in people.values()),
        "births_impossible": sum(not 0 <= (today - row["date_naissance"]).days < 120 * 365 for row in named),
        "contact_missing": sum(row["courriel"] is row["telephone"] is None for row in named),
        "names_blank": sum(not row["nom"].strip() or not row["prenom"].strip() for row in named),
        "requests_overdue": sum(
            row["statut"] == "en_attente"
            and (now - row["deposee_le"].replace(tzinfo=dt.UTC)).days >= days[row["motif_id"]]
            for row in of["demande_rdv"]
        ),
        "planning_overdue": sum(row["statut"] in ("recu", "en_cours") and row["echeance_le"] < today for row in plans),
        "appointments_overlapping": overlapping(of["rendez_vous"]),
        "requests_without_appointment": sum(
            row["statut"] == "planifiee" and row["id"] not in standing for row in of["demande_rdv"]
        ),
        "plots_of_another_district": sum(int(row["parcelle"][9:11]) != row["arrondissement_numero"] for row in plans),
    }


def overlapping(appointments: Rows) -> int:
    by_citizen: dict[int, Rows] = {}
    for row in appointments:
        if row["statut"] in ("reserve", "honore"):
            by_citizen.setdefault(row["citoyen_id"], []).append(row)
    pairs = (pair for rows in by_citizen.values() for pair in combinations(rows, 2))
    return sum(one["debut"] < other["fin"] and other["debut"] < one["fin"] for one, other in pairs)


async def test_each_of_the_ten_rules_counts_what_is_in_the_tables(server: DemoServer) -> None:
    seen = await violations(server)

    assert counted(await tables(server)) == seen
    assert 10 == len(seen)
    assert {rule for rule in BROKEN if seen[rule] > 0} == BROKEN  # the example shows something
    assert seen["requests_overdue"] > 0 < seen["requests_without_appointment"]


async def test_a_name_that_is_emptied_is_seen_and_goes_when_it_is_mended(server: DemoServer) -> None:
    table = "metier.citoyen" if server.engine == "postgres" else "marseille_metier.citoyen"
    before = await violations(server)
    async with administrator(server, server.databases[0], {}) as connection:
        await connection.run(f"UPDATE {table} SET nom = ' ' WHERE numero_usager = 'CITOYEN-000002'")
        assert before | {"names_blank": before["names_blank"] + 1} == await violations(server)
        await connection.run(f"UPDATE {table} SET nom = 'NOM-000002' WHERE numero_usager = 'CITOYEN-000002'")

    assert before == await violations(server)


async def test_nothing_that_is_asked_of_the_demo_fails(server: DemoServer) -> None:
    statuses = (await poll(server, everything=True)).state.collectors.values()

    assert [] == [(each.name, each.message) for each in statuses if each.succeeded is False]
    assert {"remote", "role", "version", "optional", "logging_collector_off", "log_bin_off"} >= {
        each.skipped for each in statuses if each.succeeded is None
    }


async def test_the_other_databases_are_left_alone_and_no_collector_fails(estate: Mapping[str, DemoServer]) -> None:
    given = await poll(estate["postgres"])
    databases = {
        labels["database"] for block in given.all_blocks if block.family == FAMILY for labels, _ in block.samples()
    }

    assert {"marseille", "marseille_archives"} == databases
    assert {True} == {status.succeeded for status in given.state.collectors.values()}


async def test_the_monitoring_account_reads_the_numbers_and_nobody_behind_them(server: DemoServer) -> None:
    connection = await connect(
        server.address, server.monitor, server.databases[0] if server.engine == "postgres" else ""
    )
    try:
        for table in ("citoyen", "rendez_vous"):
            name = f"metier.{table}" if server.engine == "postgres" else f"marseille_metier.{table}"
            with pytest.raises(EngineError, match=r"(?i)permission denied|denied to user"):
                await connection.run(f"SELECT count(*) FROM {name}")
    finally:
        await connection.close()
