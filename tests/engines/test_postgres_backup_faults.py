"""What stands in the way of a PostgreSQL's dump: each ends it with one clear reason, and the application goes on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from dbwatch.core.backups.model import Codec, FactsMode, JobReason
from dbwatch.engines.backing import Command, DumpOptions
from dbwatch.errors import EngineError, JobError, Reason
from dbwatch.files import sql_root
from tests import postgres_backing as backing
from tests import postgres_rich as rich
from tests.fix_postgres import PASSWORD, debian_binaries
from tests.fix_process import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbwatch.engines.backing import Source
    from tests.fix_postgres import Clusters, NewStandby, Postgres

pytestmark = pytest.mark.engine
ALLOW = "hostssl marseille,postgres dbwatch_backup 127.0.0.1/32 scram-sha-256"


@pytest.fixture
def room() -> Iterator[Path]:
    with workspace() as directory:
        yield directory


@pytest.fixture(scope="module")
def server(clusters: Clusters) -> Iterator[Postgres]:
    """Debian's, with TLS; its client has no zstd."""
    with clusters.new(debian_binaries(), tls=True) as started:
        started.psql(rich.ROLES)
        rich.create(started)
        started.psql(BIG, "marseille")
        grant(started)
        yield started


def grant(server: Postgres) -> None:
    """The documented script, twice: it is idempotent."""
    documented = (sql_root() / "postgres" / "security" / "05_role_backup.sql").read_text()
    for database in ("postgres", "marseille"):
        server.psql(f"SET dbwatch.backup_password = '{PASSWORD}'; {documented} {documented}", database)
    server.psql(LARGE_OBJECTS, "marseille")


BIG = "CREATE TABLE big AS SELECT n, repeat(md5(n::text), 20) AS t FROM generate_series(1, 20000) AS n"
CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE metier.vide%'"
ENCRYPTED = "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE usename ~ '_backup$'"
LARGE_OBJECTS = """
DO $$DECLARE l record; BEGIN FOR l IN SELECT oid FROM pg_largeobject_metadata LOOP
EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO dbwatch_backup', l.oid); END LOOP; END$$
"""
IN_SCHEMA = """
GRANT USAGE ON SCHEMA {0} TO dbwatch_backup;
GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO dbwatch_backup;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA {0} TO dbwatch_backup;
"""
TERMINATE = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
OPTIONS = DumpOptions(include=("marseille",), lock_wait_seconds=1.0)


async def until(session: asyncpg.Connection[Any], number: str) -> None:
    """Ask until it is more than none."""
    for _ in range(2000):
        if await session.fetchval(number):
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"never: {number}")


async def test_the_documented_role_takes_all_there_is(server: Postgres, room: Path) -> None:
    taken = await backing.take(backing.described(server), room / "set", OPTIONS)
    async with backing.scratch(taken, room / "s") as target:
        await backing.restore(taken, target)
        facts = await backing.restored_facts(taken, target)

    assert backing.content(taken.manifest.facts) == backing.content(facts)
    assert taken.preflight.warnings == ()
    assert "SCRAM" in (taken.directory / "globals.sql").read_text()


async def test_who_may_not_read_passwords_takes_roles_without_them_and_says_so(server: Postgres, room: Path) -> None:
    for schema in ("metier", "public"):
        server.psql(IN_SCHEMA.format(schema), "marseille")
    server.psql("REVOKE pg_read_all_data FROM dbwatch_backup")
    try:
        taken = await backing.take(backing.described(server), room / "set", replace(OPTIONS, facts=FactsMode.OFF))
    finally:
        server.psql("GRANT pg_read_all_data TO dbwatch_backup")
        server.psql("REVOKE ALL ON ALL TABLES IN SCHEMA metier FROM dbwatch_backup", "marseille")

    assert "without passwords" in " ".join(taken.preflight.warnings)
    assert "SCRAM" not in (taken.directory / "globals.sql").read_text()


BYPASS = "ALTER ROLE dbwatch_backup {0}BYPASSRLS"
READ_ALL = "{0} pg_read_all_data {1} dbwatch_backup"
CONNECT = "{0} CONNECT ON DATABASE marseille {1} PUBLIC, dbwatch_backup"


@pytest.mark.parametrize(
    ("take_away", "named", "give_back"),
    [
        (BYPASS.format("NO"), BYPASS.format("") + ";", BYPASS.format("")),
        (READ_ALL.format("REVOKE", "FROM"), "GRANT SELECT ON", READ_ALL.format("GRANT", "TO")),
        (CONNECT.format("REVOKE", "FROM"), "GRANT CONNECT ON DATABASE marseille", CONNECT.format("GRANT", "TO")),
    ],
)
async def test_what_may_not_be_read_is_told_before_a_byte_is_written(
    server: Postgres, take_away: str, named: str, give_back: str
) -> None:
    server.psql(take_away, "marseille")
    try:
        known = await backing.engine().preflight(backing.described(server), OPTIONS)
    finally:
        server.psql(give_back, "marseille")

    assert [JobReason.PERMISSION] == [reason for reason, _ in known.faults]
    assert named in known.faults[0][1]


async def test_a_table_that_the_application_keeps_locked_ends_the_dump_in_time(server: Postgres, room: Path) -> None:
    application = await server.admin("marseille")
    try:
        await application.execute("BEGIN; LOCK TABLE metier.rdv")
        begun = asyncio.get_running_loop().time()
        with pytest.raises(JobError) as locked:
            await backing.take(backing.described(server), room / "set", OPTIONS)
        seconds = asyncio.get_running_loop().time() - begun
    finally:
        await application.close()

    assert locked.value.reason == JobReason.LOCK
    assert seconds < 15


async def test_a_table_emptied_as_the_dump_begins_is_no_empty_table_in_the_dump(server: Postgres, room: Path) -> None:
    application = await server.admin("marseille")
    try:
        await application.execute("CREATE TABLE emptied AS SELECT 1 AS n")
        await application.execute("BEGIN; TRUNCATE emptied")

        async def commit() -> None:
            # By then the dump has its snapshot.
            await until(application, "SELECT count(*) FROM pg_locks WHERE NOT granted")
            await application.execute("COMMIT")

        async with asyncio.TaskGroup() as group:
            group.create_task(commit(), name="commit")
            with pytest.raises(JobError) as hidden:
                await backing.take(backing.described(server), room / "set", replace(OPTIONS, lock_wait_seconds=30))
    finally:
        await application.execute("DROP TABLE emptied")
        await application.close()

    assert hidden.value.reason == JobReason.INCOMPLETE
    assert "public.emptied" in hidden.value.message


async def test_who_waits_for_the_dump_is_seen_and_who_changes_a_table_meanwhile_must_wait(
    server: Postgres, room: Path
) -> None:
    seen: list[tuple[int, float]] = []
    application = await server.admin("marseille")

    async def alter() -> None:
        with suppress(asyncpg.QueryCanceledError):
            await application.execute("ALTER TABLE metier.vide ADD COLUMN x int")

    async def meanwhile(source: Source) -> None:
        if not source.pipelines[0].database:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(alter(), name="alter")
            while not seen or seen[-1][1] < 0.3:
                now = await source.blocking()
                seen.extend([(now.sessions, now.longest_seconds)] if now.sessions else [])
                await asyncio.sleep(0.05)
            await asyncio.to_thread(server.psql, CANCEL)

    try:
        await backing.take(backing.described(server), room / "set", OPTIONS, meanwhile)
    finally:
        await application.close()

    assert {sessions for sessions, _ in seen} == {1}


async def test_a_definition_changed_meanwhile_makes_the_set_restorable_but_not_comparable(
    server: Postgres, room: Path
) -> None:
    async def meanwhile(source: Source) -> None:
        if source.pipelines[0].database:
            await asyncio.to_thread(server.psql, "CREATE OR REPLACE VIEW metier.neuve AS SELECT 1 AS n", "marseille")

    try:
        taken = await backing.take(backing.described(server), room / "set", OPTIONS, meanwhile)
    finally:
        server.psql("DROP VIEW metier.neuve", "marseille")

    assert not taken.manifest.facts.comparable


@pytest.mark.parametrize("whose", ["holder", "leader"])
async def test_a_session_that_the_server_ends_ends_the_dump(server: Postgres, room: Path, whose: str) -> None:
    """The reader of the stream is slow, so that the dump is in its middle."""
    terminate = {
        "holder": "state LIKE 'idle in transaction%' AND query LIKE 'LOCK TABLE%'",
        "leader": "query LIKE 'COPY%'",
    }[whose]

    async def meanwhile(source: Source) -> None:
        if source.pipelines[0].database:
            admin = await server.admin()
            await until(admin, f"{TERMINATE} WHERE application_name = '{backing.APPLICATION}' AND {terminate}")
            await admin.close()

    slow = Command(("sh", "-c", "sleep 2; exec cat"))
    with pytest.raises((JobError, EngineError, ExceptionGroup)) as ended:
        await backing.take(
            backing.described(server), room / "set", replace(OPTIONS, seal=slow, codec=Codec.NONE), meanwhile
        )

    reasons = {error.reason for error in leaves(ended.value)}
    assert reasons & {Reason.LOST, JobReason.LOST, JobReason.TOOL}


def leaves(error: BaseException) -> list[JobError | EngineError]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in leaves(each)]
    assert isinstance(error, JobError | EngineError)
    return [error]


async def test_sessions_of_dead_dumps_are_ended_and_no_others(server: Postgres) -> None:
    dead = await server.connect("dbwatch_backup", server_settings={"application_name": "dbwatch/bk/dead"})
    alive = await server.connect("dbwatch_backup", server_settings={"application_name": "dbwatch/bk/alive"})
    other = await server.connect("dbwatch_backup", server_settings={"application_name": "dbwatch/fast"})

    ended = await backing.engine().sweep(backing.described(server), "dbwatch/bk/", {"dbwatch/bk/alive"})
    still = [await alive.fetchval("SELECT 1"), await other.fetchval("SELECT 2")]
    for session in (alive, other, dead):
        session.terminate()

    assert (1, [1, 2]) == (ended, still)


async def test_an_encrypted_login_and_a_password_that_no_other_process_can_see(server: Postgres, room: Path) -> None:
    assert server.certificates
    server.allow(ALLOW)
    server.reload()
    tls = {"mode": "verify-full", "ca_file": server.certificates.ca_file}
    seen: list[str] = []
    encrypted: list[bool] = []

    async def meanwhile(source: Source) -> None:
        seen.extend(f"{command.argv} {command.environment}" for command in source.pipelines[0].commands)
        admin = await server.admin()
        encrypted.append(await admin.fetchval(ENCRYPTED))
        await admin.close()

    taken = await backing.take(backing.described(server, tls=tls), room / "set", OPTIONS, meanwhile)

    assert PASSWORD not in " ".join(seen)
    assert encrypted[-1]
    assert not list(taken.directory.glob(".pgpass*"))


async def test_a_wrong_password_is_a_wrong_password(server: Postgres) -> None:
    with pytest.raises(EngineError) as refused:
        await backing.engine().preflight(backing.described(server, password="wrong"), OPTIONS)

    assert refused.value.reason is Reason.AUTH


async def test_what_this_machine_cannot_restore_is_told_as_such(server: Postgres, room: Path) -> None:
    taken = await backing.take(backing.described(server), room / "set", replace(OPTIONS, facts=FactsMode.COUNTS))
    known = taken.manifest.facts
    odd = replace(known, databases=(replace(known.databases[0], extensions=(("timescaledb", "2.0"),)),))

    with pytest.raises(JobError) as lacking:
        await backing.engine().scratch_programs(replace(taken.manifest, facts=odd), ())

    assert lacking.value.reason == JobReason.NO_EXTENSION
    assert "timescaledb" in lacking.value.message
    assert {None} == {table.digest for table in known.tables}
    assert 20000 in {table.rows for table in known.tables}


async def test_a_standby_can_be_dumped(server: Postgres, standby: NewStandby, room: Path) -> None:
    replica = standby(server, "hot_standby_feedback = on")

    taken = await backing.take(backing.described(replica), room / "set", OPTIONS)
    async with backing.scratch(taken, room / "s") as target:
        await backing.restore(taken, target)
        facts = await backing.restored_facts(taken, target)
    tables = {table for table in backing.content(facts).tables if table.table != "brouillon"}

    assert tables == set(backing.content(taken.manifest.facts).tables)
    assert any("unlogged" in warning for warning in taken.preflight.warnings)
