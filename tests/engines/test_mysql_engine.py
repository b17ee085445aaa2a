"""The MySQL engine on real MariaDB servers: what a session is, how it ends, and what each fault is called."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from dbwatch.cli import doctor
from dbwatch.core.model import Lane, Role, Rows
from dbwatch.errors import EngineError, Reason
from dbwatch.poller.once import Target
from tests.fix_mariadb import BARE, MONITOR, PASSWORD, encrypt
from tests.fix_process import eventually
from tests.mysql_asking import engine, facts, instance, ours, query, session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.fix_mariadb import Mariadb, NewMariadb, NewReplica
    from tests.fix_network import Proxy

pytestmark = pytest.mark.engine

GUARDS = {
    "autocommit": 1,
    "tx_read_only": 1,
    "lock_wait_timeout": 1,
    "innodb_lock_wait_timeout": 1,
    "wait_timeout": 86400,
    "slow_query_log": 0,
}
FAULTS = {
    "SELECT * FROM mysql.global_priv": Reason.PERMISSION,
    "SHOW BINARY LOG STATUS WHERE 1": Reason.SYNTAX,
    "SELECT 1 FROM information_schema.no_such_table": Reason.MISSING,
    "SELECT no_such_column FROM information_schema.processlist": Reason.MISSING,
    "SELECT @@no_such_variable": Reason.MISSING,
    "SELEKT 1": Reason.SYNTAX,
    "SELECT SLEEP(20)": Reason.TIMEOUT,
    "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE performance_schema.setup_actors": Reason.OTHER,
}


async def refused(described: dict[str, object], **overrides: object) -> EngineError:
    """The error of a login that must fail."""
    with pytest.raises(EngineError) as caught:
        async with session(described | overrides):
            pass
    return caught.value


@asynccontextmanager
async def listening(greeting: bytes, *more: bytes, heard: bytearray) -> AsyncIterator[int]:
    """A port that greets, and sends one more packet for each that it hears."""

    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(greeting)
            for each in more:
                heard.extend(await reader.read(4096))
                writer.write(each)
            heard.extend(await reader.read(4096))
        except ConnectionError:
            pass  # the client walked away: that is what it should do
        finally:
            writer.close()
            done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await done.wait()
        await asyncio.sleep(0.05)  # the transport closes in the loop's next turns


@asynccontextmanager
async def asking_to_switch_to(plugin: str) -> AsyncIterator[tuple[int, bytearray]]:
    """A server that says hello as MariaDB does, and then wants another authentication plugin."""
    salt, capabilities = b"s" * 8, 0x0008_A200  # PLUGIN_AUTH, SECURE_CONNECTION, PROTOCOL_41
    low, high = capabilities.to_bytes(4, "little")[:2], capabilities.to_bytes(4, "little")[2:]
    hello = b"\x0a5.5.5-10.11.6-MariaDB\0" + bytes(4) + salt + b"\0" + low + b"\x2d\x02\0" + high + b"\x15"
    hello += bytes(10) + b"s" * 12 + b"\0mysql_native_password\0"
    switch = b"\xfe" + plugin.encode() + b"\0" + b"s" * 20 + b"\0"
    heard = bytearray()
    async with listening(packet(0, hello), packet(2, switch), heard=heard) as port:
        yield port, heard


def packet(number: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def count(server: Mariadb, status: str) -> int:
    return int(server.sql(f"SHOW GLOBAL STATUS LIKE '{status}'").split("\t")[1])


async def test_a_session_is_guarded_before_it_is_given(mariadb: Mariadb) -> None:
    names = ", ".join(f"@@SESSION.{name} AS {name}" for name in GUARDS)
    async with session(mariadb.instance()) as opened:
        [seen] = (await opened.fetch(query(f"SELECT {names}"))).dicts()
    assert seen == GUARDS


async def test_a_session_tells_its_lane_to_the_server(mariadb: Mariadb) -> None:
    ask = "SELECT attr_value FROM performance_schema.session_connect_attrs WHERE attr_name = 'program_name'"
    async with session(mariadb.instance(), Lane.SLOW):
        assert "dbwatch/slow" in mariadb.sql(ask).splitlines()


async def test_the_answer_is_column_major_and_null_is_none(mariadb: Mariadb) -> None:
    async with session(mariadb.instance()) as opened:
        rows = await opened.fetch(query("SELECT 1 AS n, 'été' AS t, NULL AS x UNION ALL SELECT 2, '😀', NULL"))
        nothing = await opened.fetch(query("SELECT 1 AS n FROM DUAL WHERE FALSE"))
    assert rows == Rows(("n", "t", "x"), ((1, 2), ("été", "😀"), (None, None)))
    assert nothing == Rows(("n",), ((),))


async def test_the_handshake_tells_flavour_and_version(mariadb: Mariadb) -> None:
    async with session(mariadb.instance()) as opened:
        known = await facts(opened)
    assert opened.hello.flavour == "mariadb"
    assert known.version == opened.hello.version >= (10, 6)
    assert known.settings["performance_schema"] == "ON"
    assert known.role is Role.PRIMARY
    assert known.clock == pytest.approx(time.time(), abs=2)
    assert known.started_at is not None
    assert known.started_at < time.time()


async def test_an_account_without_rights_reads_the_facts_too(mariadb: Mariadb) -> None:
    async with session(mariadb.instance(user=BARE)) as opened:
        known = await facts(opened)
    assert known.probes["performance_schema"]  # asked of MySQL only
    assert not any(seen for name, seen in known.probes.items() if name != "performance_schema")


async def test_a_replica_is_known_as_one_and_its_broken_link_too(
    new_mariadb: NewMariadb, mariadb_replica: NewReplica
) -> None:
    primary = new_mariadb()
    replica = mariadb_replica(primary, "--read-only=0")
    async with session(replica.instance()) as opened:
        assert (await facts(opened)).role is Role.REPLICA
        primary.stop()
        eventually(lambda: "Connecting" in replica.sql("SHOW ALL SLAVES STATUS"))
        assert (await facts(opened)).role is Role.REPLICA


@pytest.mark.parametrize(("sql", "reason"), FAULTS.items())
async def test_each_fault_has_its_reason_and_the_session_survives(mariadb: Mariadb, sql: str, reason: Reason) -> None:
    async with session(mariadb.instance()) as opened:
        with pytest.raises(EngineError) as caught:
            await opened.fetch(query(sql, 0.5))
        assert caught.value.reason is reason
        assert sql not in caught.value.message
        assert not opened.broken
        await opened.ping()


async def test_a_write_is_refused_by_the_session_itself(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    server.sql(f"CREATE DATABASE shop; CREATE TABLE shop.t (n int); GRANT ALL ON shop.* TO '{MONITOR}'@'127.0.0.1'")
    async with session(server.instance()) as opened:
        with pytest.raises(EngineError) as caught:
            await opened.fetch(query("INSERT INTO shop.t VALUES (1)"))
    assert caught.value.reason is Reason.PERMISSION


async def test_a_second_statement_is_a_syntax_error_and_is_not_run(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    server.sql(f"CREATE DATABASE shop; GRANT ALL ON shop.* TO '{MONITOR}'@'127.0.0.1'")
    two = "SELECT 1 AS n; SET SESSION TRANSACTION READ WRITE; CREATE TABLE shop.made (n int)"
    async with session(server.instance()) as opened:
        with pytest.raises(EngineError) as caught:
            await opened.fetch(query(two))
    assert caught.value.reason is Reason.SYNTAX
    assert server.sql("SHOW TABLES FROM shop") == ""


async def test_a_locked_table_costs_a_second_not_a_session(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    server.sql(f"CREATE DATABASE shop; CREATE TABLE shop.t (n int); GRANT SELECT ON shop.* TO '{MONITOR}'@'127.0.0.1'")
    holder = await server.admin("shop")
    try:
        await holder.query("LOCK TABLES t WRITE")
        async with session(server.instance()) as opened:
            with pytest.raises(EngineError) as caught:
                await opened.fetch(query("SELECT n FROM shop.t"))
            assert caught.value.reason is Reason.LOCK
            assert not opened.broken
    finally:
        await holder.ensure_closed()


async def test_a_wrong_password_is_auth_and_is_not_printed(mariadb: Mariadb) -> None:
    error = await refused(mariadb.instance(), monitor={"user": MONITOR, "password": "canary-42"})
    assert error.reason is Reason.AUTH
    assert "canary-42" not in str(error)


@pytest.mark.parametrize("plugin", ["client_ed25519", "parsec", "dialog"])
async def test_an_unsupported_authentication_plugin_is_named(mariadb: Mariadb, plugin: str) -> None:
    async with asking_to_switch_to(plugin) as (port, _):
        error = await refused(mariadb.instance(), port=port)
    assert error.reason is Reason.AUTH
    assert plugin in error.message
    assert "mysql_native_password" in error.remedy


async def test_doctor_names_the_plugin_and_how_to_give_the_account_another(mariadb: Mariadb) -> None:
    async with asking_to_switch_to("client_ed25519") as (port, _):
        said = await doctor.examine(Target(instance(mariadb.instance(), port=port), engine(), ours()))
    assert not said.healthy
    assert "auth: authentication plugin client_ed25519 is not supported" in said.lines[0]
    assert "IDENTIFIED VIA mysql_native_password" in said.lines[1]


async def test_a_password_is_never_given_in_plain_text(mariadb: Mariadb) -> None:
    async with asking_to_switch_to("mysql_clear_password") as (port, heard):
        error = await refused(mariadb.instance(), port=port)
    assert error.reason is Reason.AUTH
    assert PASSWORD.encode() not in heard


async def test_another_protocol_on_the_port_is_an_error_of_ours(mariadb: Mariadb) -> None:
    async with listening(b"SSH-2.0-OpenSSH_9.2p1\r\n", heard=bytearray()) as port:
        error = await refused(mariadb.instance(), port=port, connect_timeout=0.5)
    assert error.reason in {Reason.LOST, Reason.TIMEOUT, Reason.OTHER}


async def test_too_many_connections_has_its_own_reason(new_mariadb: NewMariadb) -> None:
    server = new_mariadb("--max-connections=10")
    held = [await server.connect() for _ in range(4)]  # the account's own limit
    error = await refused(server.instance())
    for connection in held:
        await connection.ensure_closed()
    assert error.reason is Reason.TOO_MANY_CONNECTIONS


async def test_a_closed_port_is_refused(mariadb: Mariadb, refused_port: int) -> None:
    assert (await refused(mariadb.instance(), port=refused_port)).reason is Reason.REFUSED


async def test_an_unknown_host_is_dns(mariadb: Mariadb, unresolvable_host: str) -> None:
    error = await refused(mariadb.instance(), host=unresolvable_host, tls={"mode": "disabled"})
    assert error.reason is Reason.DNS


async def test_a_black_hole_ends_within_the_connect_timeout(mariadb: Mariadb, black_hole: int) -> None:
    started = time.monotonic()
    error = await refused(mariadb.instance(), port=black_hole, connect_timeout=0.3)
    assert error.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 2.5  # where nothing is said it is three


async def test_a_server_without_tls_is_never_spoken_to_in_plain_text(mariadb: Mariadb) -> None:
    error = await refused(mariadb.instance(), tls={"mode": "required"})
    assert error.reason is Reason.TLS
    assert "no TLS" in error.message


async def test_tls_is_verified_by_authority_and_by_name(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    files = encrypt(server)
    trusted = {"mode": "verify_identity", "ca_file": files.ca_file}
    async with session(server.instance(), tls=trusted) as opened:
        [status] = (await opened.fetch(query("SHOW SESSION STATUS LIKE 'Ssl_version'"))).dicts()
    assert str(status["Value"]).startswith("TLSv1")
    error = await refused(server.instance(), tls=trusted | {"ca_file": files.other_ca_file})
    assert error.reason is Reason.TLS
    server.options += [f"--ssl-cert={files.wrong_name_certificate}"]
    server.restart()
    assert (await refused(server.instance(), tls=trusted)).reason is Reason.TLS


async def test_a_frozen_server_ends_within_the_deadline_and_the_session_is_broken(
    mariadb: Mariadb, proxy: Callable[[int], Proxy]
) -> None:
    between = proxy(mariadb.port)
    async with session(mariadb.instance(), port=between.port) as opened:
        between.pause()
        started = time.monotonic()
        with pytest.raises(EngineError) as caught:
            await opened.fetch(query("SELECT 1", 0.3))
        await opened.close()
        assert time.monotonic() - started < 5.0
        assert (caught.value.reason, opened.broken) == (Reason.TIMEOUT, True)
        with pytest.raises(EngineError, match="closed"):
            await opened.fetch(query("SELECT 1"))
        between.resume()


async def test_a_server_killed_in_mid_query_is_lost(new_mariadb: NewMariadb) -> None:
    server = new_mariadb()
    async with session(server.instance()) as opened:
        asked = asyncio.ensure_future(opened.fetch(query("SELECT SLEEP(5)", 8.0)))
        await asyncio.sleep(0.3)
        server.kill()
        with pytest.raises(EngineError) as caught:
            await asked
        assert (caught.value.reason, opened.broken) == (Reason.LOST, True)


async def test_a_session_killed_by_a_dba_is_lost(mariadb: Mariadb) -> None:
    async with session(mariadb.instance()) as opened:
        [[pid]] = (await opened.fetch(query("SELECT CONNECTION_ID()"))).columns
        mariadb.sql(f"KILL {pid}")
        with pytest.raises(EngineError) as caught:
            await opened.fetch(query("SELECT 1"))
        assert (caught.value.reason, opened.broken) == (Reason.LOST, True)


async def test_a_cancelled_query_runs_on_no_longer_than_its_limit(mariadb: Mariadb) -> None:
    ask = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%dbwatch:test%' AND command = 'Query'"
    async with session(mariadb.instance()) as opened:
        asked = asyncio.ensure_future(opened.fetch(query("SELECT SLEEP(20)", 1.5)))
        await asyncio.sleep(0.3)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert opened.broken
    eventually(lambda: mariadb.sql(ask.replace("'%dbwatch:", "'%dbwa' 'tch:")) == "0", timeout_seconds=10.0)


async def test_the_limit_is_sent_only_when_it_changes(mariadb: Mariadb) -> None:
    ask = query("SHOW SESSION STATUS LIKE 'Com_set_option'", 1.0)
    async with session(mariadb.instance()) as opened:
        first, second = [(await opened.fetch(ask)).columns[1] for _ in range(2)]
        third = (await opened.fetch(query(ask.sql, 2.0))).columns[1]
    assert first == second
    assert int(str(third[0])) == int(str(second[0])) + 1


async def test_sessions_leave_no_trace_in_the_servers_log_or_counters(new_mariadb: NewMariadb) -> None:
    server = new_mariadb("--log-warnings=9")
    before = server.log()
    for _ in range(20):
        async with session(server.instance(), Lane.PROBE) as opened:
            await opened.ping()
    eventually(lambda: server.backends() == 0)
    assert (count(server, "Aborted_clients"), count(server, "Aborted_connects")) == (0, 0)
    assert server.log() == before
