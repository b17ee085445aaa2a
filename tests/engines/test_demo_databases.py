"""The Marseille databases on real servers: built, filled, guarded, alive, and gone afterwards."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import pytest_asyncio

from dbwatch.demo import DemoServer, Login, demo_estate
from dbwatch.demo.databases import Volume, administrator, load
from dbwatch.demo.drivers import connect
from dbwatch.demo.scripts import script, scripts, workload_statements
from dbwatch.demo.servers import mariadb_programs, postgres_server
from dbwatch.demo.workload import Stage, block_once
from dbwatch.errors import EngineError
from tests.fix_process import eventually, missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dbwatch.demo.drivers import Connection

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

VOLUME = Volume(0.1, dt.date(2026, 1, 5))
DEBIAN_POSTGRES = Path("/usr/lib/postgresql/15/bin")
TABLES = ("citoyen", "demande_rdv", "rendez_vous", "demande_etat_civil", "demande_urbanisme")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def postgres() -> AsyncIterator[DemoServer]:
    async with demo_estate(VOLUME.scale, ["postgres"], reference_date=VOLUME.reference_date) as estate:
        yield estate.servers[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mariadb() -> AsyncIterator[DemoServer]:
    if mariadb_programs() is None:
        missing("mariadb-server-core")
    async with demo_estate(VOLUME.scale, ["mysql"], reference_date=VOLUME.reference_date) as estate:
        yield estate.servers[0]


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> DemoServer:
    found: DemoServer = request.getfixturevalue(request.param)
    return found


@asynccontextmanager
async def session(server: DemoServer, login: Login, database: str | None = None) -> AsyncIterator[Connection]:
    connection = await connect(server.address, login, database or server.databases[0])
    try:
        yield connection
    finally:
        await connection.close()


def schema(server: DemoServer, name: str) -> str:
    return name if server.engine == "postgres" else f"marseille_{name}"


async def one(connection: Connection, sql: str) -> Any:
    return (await connection.run(sql))[0][0]


async def contents(server: DemoServer) -> dict[str, list[tuple[Any, ...]]]:
    """Every generated row."""
    async with administrator(server, server.databases[0], {}) as connection:
        return {
            table: await connection.run(f"SELECT * FROM {schema(server, 'metier')}.{table} ORDER BY id")
            for table in TABLES
        }


async def empty(server: DemoServer) -> None:
    async with administrator(server, server.databases[0], {}) as connection:
        if server.engine == "postgres":
            await connection.script(f"TRUNCATE {', '.join(f'metier.{table}' for table in TABLES)} RESTART IDENTITY")
        else:
            truncated = "".join(f"TRUNCATE marseille_metier.{table};" for table in TABLES)
            await connection.script(f"SET foreign_key_checks = 0; {truncated} SET foreign_key_checks = 1")


async def seed(server: DemoServer) -> None:
    admin, database = server.address.admin, server.databases[0]
    connection = await connect(server.address, admin, database, options=VOLUME.options())
    try:
        await connection.script(script(server.engine, "dml", "20_seed_citoyens_rdv.sql"))
    finally:
        await connection.close()


async def test_the_reference_data_is_marseille_s(server: DemoServer) -> None:
    reference = schema(server, "referentiel")
    async with session(server, server.application) as connection:
        assert 16 == await one(connection, f"SELECT count(*) FROM {reference}.arrondissement")
        assert 64 == await one(connection, f"SELECT count(*) FROM {reference}.guichet")
        assert "13016" == await one(connection, f"SELECT code_postal FROM {reference}.arrondissement WHERE numero = 16")


async def test_the_scale_decides_how_many_citizens_there_are(server: DemoServer) -> None:
    async with session(server, server.application) as connection:
        assert 1200 == await one(connection, f"SELECT count(*) FROM {schema(server, 'metier')}.citoyen")
        assert 250 < await one(connection, f"SELECT count(*) FROM {schema(server, 'metier')}.rendez_vous")


async def test_the_same_scale_and_day_give_the_same_data(server: DemoServer) -> None:
    before = await contents(server)
    await empty(server)
    await seed(server)
    assert before == await contents(server)

    await seed(server)
    assert before == await contents(server)


async def test_every_version_of_postgresql_gives_the_same_data(postgres: DemoServer) -> None:
    if not (DEBIAN_POSTGRES / "postgres").exists():
        missing("postgresql-15")
    async with postgres_server(DEBIAN_POSTGRES) as address:
        old = await load(address, VOLUME)
        assert await contents(old) == await contents(postgres)


async def test_every_script_of_postgresql_may_be_run_again(postgres: DemoServer) -> None:
    before = await contents(postgres)
    async with administrator(postgres, postgres.databases[0], {}) as connection:
        for text in (*scripts("postgres", "ddl"), script("postgres", "dml", "10_seed_referentiel.sql")):
            await connection.script(text)

    assert before == await contents(postgres)


UNINDEXED_FOREIGN_KEYS = """
    SELECT conname FROM pg_constraint AS fk
    WHERE contype = 'f' AND NOT EXISTS (
        SELECT FROM pg_index AS i WHERE i.indrelid = fk.conrelid AND i.indpred IS NULL
          AND (i.indkey::smallint[])[0:cardinality(fk.conkey) - 1] = fk.conkey)"""
UNEXPLAINED_TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'v') AND relnamespace::regnamespace::text IN ('referentiel', 'metier', 'reporting')
      AND obj_description(oid, 'pg_class') IS NULL"""


@pytest.mark.parametrize("sql", [UNINDEXED_FOREIGN_KEYS, UNEXPLAINED_TABLES], ids=["foreign key", "table"])
async def test_no_foreign_key_is_without_index_and_no_table_without_comment(postgres: DemoServer, sql: str) -> None:
    async with administrator(postgres, postgres.databases[0], {}) as connection:
        assert [] == await connection.run(sql)


FORBIDDEN = {
    "an appointment at an occupied counter": """
        INSERT INTO {metier}.rendez_vous (demande_id, citoyen_id, guichet_id, debut, fin)
        SELECT (SELECT max(id) FROM {metier}.demande_rdv), citoyen_id, guichet_id, debut, fin
        FROM {metier}.rendez_vous WHERE statut = 'reserve' LIMIT 1""",
    "an appointment that ends before it starts": """
        UPDATE {metier}.rendez_vous SET fin = debut""",
    "an anonymised citizen with a name": """
        UPDATE {metier}.citoyen SET anonymise_le = cree_le WHERE numero_usager = 'CITOYEN-000001'""",
    "a seventeenth district": """
        INSERT INTO {referentiel}.arrondissement (numero, libelle) VALUES (17, 'Aubagne')""",
    "an address without an at sign": """
        UPDATE {metier}.citoyen SET courriel = 'nobody' WHERE numero_usager = 'CITOYEN-000001'""",
    "a closed file without a date": """
        UPDATE {metier}.demande_etat_civil SET statut = 'accepte', traitee_le = NULL""",
    "a request of nobody": """
        INSERT INTO {metier}.demande_etat_civil (citoyen_id, nature, canal) VALUES (999999999, 'deces', 'portail')""",
    "a district with citizens deleted": """
        DELETE FROM {referentiel}.arrondissement WHERE numero = 1""",
}


@pytest.mark.parametrize("what", FORBIDDEN)
async def test_the_database_refuses(server: DemoServer, what: str) -> None:
    sql = FORBIDDEN[what].format(metier=schema(server, "metier"), referentiel=schema(server, "referentiel"))
    async with administrator(server, server.databases[0], {}) as connection:
        with pytest.raises(EngineError, match=r"(?i)violates|constraint|duplicate"):
            await connection.run(sql)


async def test_a_cancelled_appointment_frees_its_counter(server: DemoServer) -> None:
    table = f"{schema(server, 'metier')}.rendez_vous"
    async with administrator(server, server.databases[0], {}) as connection:
        slot = (await connection.run(f"SELECT id, demande_id FROM {table} WHERE statut = 'reserve' LIMIT 1"))[0]
        await connection.begin()
        await connection.run(f"UPDATE {table} SET statut = 'annule' WHERE id = {slot[0]}")
        await connection.run(
            f"INSERT INTO {table} (demande_id, citoyen_id, guichet_id, debut, fin) "
            f"SELECT demande_id, citoyen_id, guichet_id, debut, fin FROM {table} WHERE id = {slot[0]}"
        )  # and never committed: closing the session undoes it


@pytest.mark.parametrize(
    "view",
    [
        "v_delai_par_service",
        "v_occupation_arrondissement",
        "v_file_attente",
        "v_etat_civil_mensuel",
        "v_urbanisme_echeances",
    ],
)
async def test_reporting_reads_figures(server: DemoServer, view: str) -> None:
    async with session(server, server.reporting, server.reporting_databases[0]) as connection:
        assert await connection.run(f"SELECT * FROM {schema(server, 'reporting')}.{view}")


async def test_neither_reporting_nor_monitoring_reads_citizens(server: DemoServer) -> None:
    for login in (server.reporting, server.monitor):
        database = server.reporting_databases[0] if login is server.reporting else "postgres"
        async with session(server, login, database if server.engine == "postgres" else "information_schema") as nosy:
            with pytest.raises(EngineError, match=r"(?i)permission denied|denied to user|does not exist"):
                await nosy.run(f"SELECT * FROM {schema(server, 'metier')}.citoyen")


async def test_the_application_changes_no_structure(server: DemoServer) -> None:
    async with session(server, server.application) as connection:
        with pytest.raises(EngineError, match=r"(?i)denied|must be owner"):
            await connection.run(f"ALTER TABLE {schema(server, 'metier')}.citoyen ADD COLUMN religion text")


async def test_monitoring_enters_every_database(postgres: DemoServer) -> None:
    for database in postgres.databases:
        async with session(postgres, postgres.monitor, database) as connection:
            assert await one(connection, "SELECT pg_has_role('pg_monitor', 'member')") is True
            assert 6 == await one(connection, "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user")


BLOCKED = {
    "postgres": "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0",
    "mysql": "SELECT COUNT(DISTINCT requesting_trx_id) FROM information_schema.innodb_lock_waits",
}


async def test_the_workload_blocks_two_sessions_and_releases_them(server: DemoServer) -> None:
    stage = Stage(server, workload_statements(server.engine))
    database = "postgres" if server.engine == "postgres" else "information_schema"
    async with session(server, server.monitor, database) as monitor, asyncio.timeout(60):
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(block_once(stage, 4.0))
            most = 0
            while most < 2 and not playing.done():
                most = max(most, await one(monitor, BLOCKED[server.engine]))
                # InnoDB refreshes this view only if nobody read it for 0.1 s.
                await asyncio.sleep(0.2)
        assert 2 == most
        assert 0 == await one(monitor, BLOCKED[server.engine])


async def test_every_statement_of_the_workload_runs_at_many_turns(server: DemoServer) -> None:
    statements = workload_statements(server.engine)
    for login, prefix in (
        (server.application, ("guichet", "portail", "incident_oubli")),
        (server.reporting, "reporting"),
    ):
        database = server.databases[0] if login is server.application else server.reporting_databases[0]
        async with session(server, login, database) as connection:
            for name, sql in statements.items():
                for turn in (0, 1, 13, 99_999) if name.startswith(prefix) else ():
                    await connection.run(sql, turn)


async def test_nothing_of_ours_is_an_error_in_the_log_but_what_was_refused(server: DemoServer) -> None:
    refused = ("violates", "denied", "must be owner", "does not exist", "Aborted connection")
    lines = server.address.log.read_text(encoding="utf-8").splitlines()
    assert [] == [
        line for line in lines if ("ERROR" in line or "FATAL" in line) and not any(word in line for word in refused)
    ]


REAL_SERVER = """
import asyncio
from dbwatch.demo.servers import postgres_server
async def main():
    async with postgres_server() as address:
        print(address.log, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
ANY_PROGRAM = """
import asyncio
from dbwatch.demo.ground import private_ground, start_guarded
async def main():
    async with private_ground() as ground:
        program = await start_guarded(ground, ("sleep", "600"), stop_signal=15, remove=True)
        while not ground.log.exists():
            await asyncio.sleep(0.05)
        print(ground.log, flush=True)
        try:
            await asyncio.sleep(600)
        finally:
            await program.stop()
asyncio.run(main())
"""


@asynccontextmanager
async def victim(code: str) -> AsyncIterator[tuple[psutil.Process, Path]]:
    """A demonstration in a process of its own, and its directory."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    directory = Path((await process.stdout.readline()).decode().strip()).parent
    try:
        yield psutil.Process(process.pid), directory
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.wait()


async def family_of(process: psutil.Process) -> list[psutil.Process]:
    """The guard, and the program that it starts a moment after it opened the log."""
    return await asyncio.to_thread(eventually, lambda: _both(process))


def _both(process: psutil.Process) -> list[psutil.Process]:
    family = process.children(recursive=True)
    return family if len(family) > 1 else []


async def assert_gone(family: list[psutil.Process]) -> None:
    """What ended and was not buried yet is gone: the burial is the business of a container's first process."""
    await asyncio.to_thread(eventually, lambda: not any(map(_is_alive, family)), timeout_seconds=30)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("code", "number"),
    [(REAL_SERVER, signal.SIGKILL), (ANY_PROGRAM, signal.SIGINT), (ANY_PROGRAM, signal.SIGTERM)],
    ids=["kill -9", "Ctrl-C", "SIGTERM"],
)
async def test_nothing_is_left_of_a_demo_that_is_ended_by(code: str, number: signal.Signals) -> None:
    async with victim(code) as (process, directory):
        family = await family_of(process)
        assert directory.is_dir()

        process.send_signal(number)

        await assert_gone(family)
        assert not directory.exists()


async def test_a_server_does_not_outlive_its_guard() -> None:
    async with victim(ANY_PROGRAM) as (process, _):
        guard, program = await family_of(process)

        guard.kill()

        await assert_gone([guard, program])
