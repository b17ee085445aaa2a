"""What stands in the way of a PostgreSQL's dump: each ends it with one clear reason, and the application goes on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from dbwatch.core.backups import comparing
from dbwatch.core.backups.model import Codec, FactsMode, JobReason, ProofName
from dbwatch.engines.backing import Command, DumpOptions, Selection, Target
from dbwatch.engines.preflight import Statement
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
    from dbwatch.engines.preflight import PreflightFault
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


FOR_SUPERUSERS = """
CREATE SUBSCRIPTION from_paris CONNECTION 'host=paris' PUBLICATION all_of_it WITH (connect = false);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER lyon FOREIGN DATA WRAPPER nowhere;
CREATE USER MAPPING FOR postgres SERVER lyon OPTIONS (password 'secret');
CREATE SERVER nice FOREIGN DATA WRAPPER nowhere;
CREATE USER MAPPING FOR PUBLIC SERVER nice OPTIONS (password 'secret');
CREATE SERVER arles FOREIGN DATA WRAPPER nowhere;
CREATE USER MAPPING FOR postgres SERVER arles OPTIONS (password 'secret');
"""
NO_MORE = """
ALTER SUBSCRIPTION from_paris SET (slot_name = NONE); DROP SUBSCRIPTION from_paris;
DROP FOREIGN DATA WRAPPER nowhere CASCADE;
"""


async def test_what_a_dump_lacks_without_a_word_is_told_by_name(server: Postgres) -> None:
    server.psql(FOR_SUPERUSERS, "marseille")
    try:
        told = [
            (await backing.engine().preflight(described, OPTIONS)).warnings
            for described in (backing.described(server), backing.as_superuser(server))
        ]
    finally:
        server.psql(NO_MORE, "marseille")

    assert len(told[0]) == 1
    assert "subscription from_paris, options of the user mapping PUBLIC on nice" in told[0][0]
    assert all(f"options of the user mapping postgres on {name}" in told[0][0] for name in ("lyon", "arles"))
    assert told[1] == ()


@pytest.mark.parametrize("whose", ["DATABASE marseille", "ROLE dbwatch_backup"])
async def test_where_too_few_sessions_are_let_in_it_is_told_before_and_what_mends_it_is_enough(
    server: Postgres, room: Path, whose: str
) -> None:
    several = replace(OPTIONS, codec=Codec.GZIP)
    server.psql(f"ALTER {whose} CONNECTION LIMIT 7")
    others = [await server.connect("dbwatch_backup", database="marseille") for _ in range(2)]
    try:
        (fault,) = (await backing.engine().preflight(backing.described(server), several)).faults
        what, _, mend = fault.line.partition(" -> ")
        server.psql(mend)
        await backing.take(backing.described(server), room / "set", several)
    finally:
        server.psql(f"ALTER {whose} CONNECTION LIMIT -1")
        for each in others:
            await each.close()

    assert fault.reason == JobReason.UNREACHABLE
    assert fault.statements == (Statement(mend),)
    assert "allows 7 sessions at a time, 2 are in use, and a dump takes up to 6" in what
    assert mend == f"ALTER {whose} CONNECTION LIMIT 8;"


BYPASS = "ALTER ROLE dbwatch_backup {0}BYPASSRLS"
READ_ALL = "{0} pg_read_all_data {1} dbwatch_backup"
CONNECT = "{0} CONNECT ON DATABASE marseille {1} PUBLIC, dbwatch_backup"


@pytest.mark.parametrize(
    ("take_away", "named", "give_back"),
    [
        (BYPASS.format("NO"), BYPASS.format("") + ";", BYPASS.format("")),
        (READ_ALL.format("REVOKE", "FROM"), READ_ALL.format("GRANT", "TO") + ";", READ_ALL.format("GRANT", "TO")),
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

    assert [JobReason.PERMISSION] == [each.reason for each in known.faults]
    assert named in known.faults[0].line


MANY_LARGE_OBJECTS = "SELECT count(lo_create(0)) FROM generate_series(1, 500)"
SOME_TABLES = "CREATE SCHEMA closed; CREATE TABLE closed.a (); CREATE TABLE closed.b (n serial)"


async def faults(server: Postgres) -> list[PreflightFault]:
    return list((await backing.engine().preflight(backing.described(server), OPTIONS)).faults)


@pytest.fixture
def other(clusters: Clusters) -> Iterator[Postgres]:
    """With an account that may do little."""
    with clusters.new(debian_binaries(), tls=True) as started:
        started.psql("CREATE DATABASE marseille")
        started.psql(f"CREATE ROLE dbwatch_backup LOGIN PASSWORD '{PASSWORD}'; GRANT pg_monitor TO dbwatch_backup")
        yield started


async def test_what_is_told_to_mend_hundreds_of_large_objects_is_one_statement_and_enough(
    other: Postgres, room: Path
) -> None:
    other.psql(MANY_LARGE_OBJECTS, "marseille")
    (fault,) = await faults(other)
    what, _, mend = fault.line.partition(" -> ")
    other.psql(mend, "marseille")
    await backing.take(backing.described(other), room / "set", OPTIONS)

    assert fault.reason == JobReason.PERMISSION
    assert fault.statements == (Statement(mend, "marseille"),)
    assert what == "marseille: the dump would lack large objects (500 of them)"


async def test_the_other_way_to_large_objects_holds_for_those_to_come_too(other: Postgres, room: Path) -> None:
    other.psql(MANY_LARGE_OBJECTS, "marseille")
    (fault,) = await faults(other)
    _, _, mend = fault.line.partition("/* those to come too, but to be written as well: ")
    other.psql(mend.removesuffix(" */"))
    other.psql(MANY_LARGE_OBJECTS, "marseille")

    await backing.take(backing.described(other), room / "set", OPTIONS)


@pytest.mark.parametrize(
    ("whom", "last"),
    [
        ("INHERIT", "BYPASSRLS; GRANT pg_read_all_data TO dbwatch_backup;"),
        ("NOINHERIT", "GRANT SELECT ON ALL TABLES IN SCHEMA shut TO dbwatch_backup;"),  # as before PostgreSQL 14
    ],
)
async def test_many_tables_are_counted_and_mended_in_one_round(other: Postgres, whom: str, last: str) -> None:
    other.psql(f"ALTER ROLE dbwatch_backup {whom}")
    other.psql(f"{SOME_TABLES}; {SOME_TABLES.replace('closed', 'shut')}", "marseille")
    other.psql("ALTER TABLE closed.a ENABLE ROW LEVEL SECURITY", "marseille")
    other.psql(MANY_LARGE_OBJECTS, "marseille")

    (fault,) = await faults(other)
    what, _, mend = fault.line.partition(" -> ")
    other.psql(mend, "marseille")

    assert what.endswith("lack large objects (500 of them), row security closed.a, schema closed and 7 more")
    assert mend.endswith(last)
    assert await faults(other) == []


@pytest.mark.parametrize(
    ("whom", "mends"),
    [
        ("INHERIT", (Statement("GRANT pg_read_all_data TO dbwatch_backup;"),)),
        (
            "NOINHERIT",  # as before PostgreSQL 14
            (
                Statement("GRANT SELECT ON SEQUENCE public.a_n_seq TO dbwatch_backup;", "marseille"),
                Statement("GRANT SELECT ON TABLE public.a TO dbwatch_backup;", "marseille"),
            ),
        ),
    ],
)
async def test_a_few_tables_are_mended_by_the_role_that_reads_everything_or_else_one_by_one(
    other: Postgres, whom: str, mends: tuple[Statement, ...]
) -> None:
    other.psql(f"ALTER ROLE dbwatch_backup {whom}")
    other.psql("CREATE TABLE a (n serial)", "marseille")

    (fault,) = await faults(other)
    what, _, mend = fault.line.partition(" -> ")
    other.psql(mend, "marseille")

    assert what.endswith("the dump would lack sequence public.a_n_seq, table public.a")
    assert mend == " ".join(each.text for each in mends)
    assert fault.statements == mends
    assert await faults(other) == []


async def test_a_table_that_the_application_keeps_locked_ends_the_dump_in_time(server: Postgres, room: Path) -> None:
    application = await server.admin("marseille")
    try:
        await application.execute("BEGIN; LOCK TABLE metier.rdv")
        pid = application.get_server_pid()
        begun = asyncio.get_running_loop().time()
        with pytest.raises(JobError) as locked:
            await backing.take(backing.described(server), room / "set", OPTIONS)
        seconds = asyncio.get_running_loop().time() - begun
    finally:
        await application.close()

    assert locked.value.reason == JobReason.LOCK
    assert f"for more than 1 s (now: metier.rdv by process {pid}): run the backup again" in locked.value.message
    assert seconds < 15


async def test_who_waits_for_a_table_and_is_waited_for_is_told_as_such(server: Postgres, room: Path) -> None:
    reader, application, admin = [await server.admin("marseille") for _ in range(3)]
    pid = application.get_server_pid()
    try:
        await reader.execute("BEGIN; LOCK TABLE metier.rdv IN ACCESS SHARE MODE")
        async with asyncio.TaskGroup() as group:
            group.create_task(seconds_of(application, "BEGIN; LOCK TABLE metier.rdv; ROLLBACK"), name="wants")
            await until(admin, WAITING)
            with pytest.raises(JobError) as locked:
                await backing.take(backing.described(server), room / "set", OPTIONS)
            await reader.execute("ROLLBACK")
    finally:
        for session in (reader, application, admin):
            await session.close()

    assert f"(now: metier.rdv awaited by process {pid})" in locked.value.message


async def test_locks_that_are_waited_for_one_after_the_other_do_not_make_a_server_unreachable(
    server: Postgres, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbwatch.engines.postgres_backup_holding.SPARE_SECONDS", -19.0)
    application = await server.admin("marseille")
    try:
        await application.execute("CREATE TABLE parted (n int) PARTITION BY LIST (n)")
        await application.execute("BEGIN; LOCK TABLE parted")
        with pytest.raises(JobError) as locked:
            await backing.take(backing.described(server), room / "set", replace(OPTIONS, lock_wait_seconds=20.0))
        await application.execute("ROLLBACK; DROP TABLE parted")
    finally:
        await application.close()

    assert locked.value.reason == JobReason.LOCK


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
    there = Target(backing.described(replica), room)
    without = await backing.engine().preflight(backing.described(replica), replace(OPTIONS, include=("postgres",)))
    (closed,) = await backing.engine().obstacles(taken.manifest, taken.directory, there, Selection(), None)
    found = comparing.compare(taken.manifest.facts, facts)
    proof, said = comparing.proven(taken.manifest.facts, found)

    assert found.differences == ()
    assert proof == ProofName.COMPARED
    assert said.endswith("1 by rows: marseille.metier.brouillon are unlogged, and a standby has none of their rows")
    told = "taken from a standby: what is unlogged is empty there: marseille.metier.brouillon"
    assert told in taken.preflight.warnings
    assert "unlogged" not in " ".join(without.warnings)
    assert closed == "db is a standby, where nothing can be written -> restore to its primary"


EXPRESSION = "CREATE TABLE {0} AS SELECT 1 AS n, 'a' AS t; CREATE INDEX ON {0} (lower(t))"
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"


async def seconds_of(session: asyncpg.Connection[Any], statement: str) -> float:
    begun = asyncio.get_running_loop().time()
    await session.execute(statement)
    return asyncio.get_running_loop().time() - begun


async def test_who_wants_a_table_for_itself_as_the_dump_ends_is_let_in_at_once(server: Postgres, room: Path) -> None:
    """The last look reads the index's definition, behind whoever waits for the table, who waits for us."""
    application, admin = await server.admin("marseille"), await server.admin("marseille")
    waits: list[asyncio.Task[float]] = []
    await admin.execute(EXPRESSION.format("wanted"))
    try:
        async with asyncio.TaskGroup() as group:

            async def meanwhile(source: Source) -> None:
                if source.pipelines[0].database:
                    await until(admin, "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^COPY'")
                    await asyncio.sleep(1)  # pg_dump has what it needs
                    waits.append(group.create_task(seconds_of(application, "TRUNCATE wanted"), name="truncate"))
                    await until(admin, WAITING)

            taken = await backing.take(backing.described(server), room / "set", OPTIONS, meanwhile)
    finally:
        await admin.execute("DROP TABLE wanted")
        await application.close()
        await admin.close()

    assert waits[0].result() < OPTIONS.max_blocking_seconds
    assert taken.manifest.facts.comparable


async def test_a_table_that_is_locked_as_the_dump_ends_costs_the_comparison_and_not_the_dump(
    server: Postgres, room: Path
) -> None:
    application, admin = await server.admin("marseille"), await server.admin("marseille")
    await admin.execute(EXPRESSION.format("kept"))
    locked: list[asyncio.Task[float]] = []
    try:
        async with asyncio.TaskGroup() as group:

            async def meanwhile(source: Source) -> None:
                if source.pipelines[0].database:
                    await until(admin, "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^COPY'")
                    await asyncio.sleep(2)  # pg_dump has what it needs
                    statement = "BEGIN; LOCK TABLE kept"
                    locked.append(group.create_task(seconds_of(application, statement), name="lock"))
                    await until(admin, WAITING)

            taken = await backing.take(backing.described(server), room / "set", OPTIONS, meanwhile)
    finally:
        await application.close()
        await admin.execute("DROP TABLE kept")
        await admin.close()

    assert not taken.manifest.facts.comparable
    assert locked[0].result() < OPTIONS.max_blocking_seconds


async def test_nobody_waits_for_long_while_the_dump_itself_waits_for_its_locks(server: Postgres, room: Path) -> None:
    """The first table is ours, the second somebody's (partitioned: its size is not asked), a third wants the first."""
    options = replace(OPTIONS, lock_wait_seconds=20, max_blocking_seconds=0.5)
    first, second, admin = [await server.admin("marseille") for _ in range(3)]
    await admin.execute("CREATE TABLE a_first (); CREATE TABLE b_second (n int) PARTITION BY LIST (n)")
    try:
        await second.execute("BEGIN; LOCK TABLE b_second")

        async def wants() -> float:
            await until(admin, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'b_second'::regclass")
            return await seconds_of(first, "DROP TABLE a_first")

        async with asyncio.TaskGroup() as group:
            waited = group.create_task(wants(), name="wants")
            with pytest.raises(JobError) as given_up:
                await backing.take(backing.described(server), room / "set", options)
    finally:
        await second.close()
        await admin.execute("DROP TABLE IF EXISTS a_first, b_second")
        await first.close()
        await admin.close()

    assert given_up.value.reason == JobReason.BLOCKED_OTHERS
    assert waited.result() < 5


async def test_what_holds_others_up_is_let_go_on_the_server_before_its_programs_have_ended(
    server: Postgres, room: Path
) -> None:
    """A program that was asked to end may take its time, and its session holds its locks as long."""
    slow = Command(("sh", "-c", "sleep 6; exec cat"))
    admin = await server.admin()
    freed: list[asyncio.Task[float]] = []

    async def let_go(source: Source) -> float:
        await source.let_go()
        return await seconds_of(admin, f"DO $$BEGIN WHILE EXISTS ({HOLDING}) LOOP {AGAIN} END LOOP; END$$")

    async with asyncio.TaskGroup() as group:  # not that of the dump, which fails at once

        async def meanwhile(source: Source) -> None:
            if source.pipelines[0].database:
                await until(admin, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%'")
                freed.append(group.create_task(let_go(source), name="let go"))

        with pytest.raises((JobError, EngineError, ExceptionGroup)):
            await backing.take(
                backing.described(server), room / "set", replace(OPTIONS, seal=slow, codec=Codec.NONE), meanwhile
            )
    await admin.close()

    assert freed[0].result() < 3


OURS = f"application_name = '{backing.APPLICATION}'"
HOLDING = f"SELECT FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE {OURS} AND mode = 'AccessShareLock'"
AGAIN = "PERFORM pg_sleep(0.05), pg_stat_clear_snapshot();"


async def test_who_sees_who_waits_logs_in_again_when_the_server_ends_its_session(server: Postgres, room: Path) -> None:
    seen: list[int] = []

    async def meanwhile(source: Source) -> None:
        if source.pipelines[0].database:
            await source.blocking()
            admin = await server.admin()
            await until(admin, f"{TERMINATE} WHERE {OURS} AND query LIKE '%pg_blocking_pids%'")
            await admin.close()
            with suppress(EngineError):
                await source.blocking()
            seen.append((await source.blocking()).sessions)

    await backing.take(backing.described(server), room / "set", OPTIONS, meanwhile)

    assert seen == [0]
