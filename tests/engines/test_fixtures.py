"""The fixtures themselves: a fault that a fixture does not really make would prove nothing."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests import fix_process
from tests.fix_process import eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fix_mariadb import Mariadb, NewMariadb, NewReplica
    from tests.fix_network import Proxy
    from tests.fix_pgbouncer import PgBouncer
    from tests.fix_postgres import NewPostgres, NewStandby, Postgres

pytestmark = pytest.mark.engine


def test_a_port_is_given_once() -> None:
    ports = [free_port() for _ in range(50)]

    assert len(ports) == len(set(ports))


@pytest.mark.parametrize(("in_ci", "outcome"), [(False, pytest.skip.Exception), (True, pytest.fail.Exception)])
def test_a_missing_server_is_skipped_at_home_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, *, in_ci: bool, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr(fix_process, "IN_CI", in_ci)
    monkeypatch.setattr(fix_process, "MISSING", told := set[str]())
    with pytest.raises(outcome):
        fix_process.program("no-such-server")

    assert told == {"no-such-server"}


async def test_the_monitor_of_postgres_18_is_seen_among_the_backends(postgres_18: Postgres) -> None:
    session = await postgres_18.connect()
    try:
        assert 18 == postgres_18.version
        eventually(lambda: postgres_18.backends() == 1)  # those of other tests go a moment after their clients
        assert await session.fetchval("SELECT pg_has_role('pg_monitor', 'USAGE')")
    finally:
        await session.close()


async def test_a_wrong_password_is_refused(postgres_18: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await postgres_18.connect(password="wrong")


async def test_the_bare_role_of_postgres_has_no_privilege(postgres_18: Postgres) -> None:
    session = await postgres_18.connect("dbwatch_bare")
    try:
        assert not await session.fetchval("SELECT pg_has_role('pg_monitor', 'USAGE')")
    finally:
        await session.close()


async def test_debians_postgres_speaks_tls_that_its_authority_proves(postgres_15: Postgres) -> None:
    assert postgres_15.certificates
    trusting = ssl.create_default_context(cafile=postgres_15.certificates.ca_file)
    session = await postgres_15.connect(host="localhost", ssl=trusting)
    try:
        assert await session.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    finally:
        await session.close()


async def test_another_authority_does_not_prove_it(postgres_15: Postgres) -> None:
    assert postgres_15.certificates
    doubting = ssl.create_default_context(cafile=postgres_15.certificates.other_ca_file)

    with pytest.raises(ssl.SSLCertVerificationError):
        await postgres_15.connect(host="localhost", ssl=doubting)


def test_a_standby_follows_and_is_promoted(new_postgres: NewPostgres, standby: NewStandby) -> None:
    primary = new_postgres()
    follower = standby(primary)
    primary.psql("CREATE TABLE here (n int)")

    assert "t" == follower.psql("SELECT pg_is_in_recovery()")
    assert eventually(lambda: follower.psql("SELECT to_regclass('here')")) == "here"

    follower.promote()

    assert "f" == follower.psql("SELECT pg_is_in_recovery()")


def test_a_killed_server_comes_back(new_postgres: NewPostgres) -> None:
    server = new_postgres("max_connections = 12")
    server.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), 1)
    server.start()

    assert "12" == server.psql("SHOW max_connections")


def test_a_frozen_server_accepts_and_does_not_answer(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.freeze()

    assert_silent(server.port)

    server.thaw()

    assert "1" == server.psql("SELECT 1")


def test_the_configuration_of_one_server_can_be_changed(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.configure("log_connections = on")
    server.allow("host all dbwatch 127.0.0.1/32 reject")
    server.reload()

    assert eventually(lambda: server.psql("SHOW log_connections") != "off")
    assert server.psql("SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'reject'") == "1"


def wait_for_one(server: Mariadb, user: str) -> None:
    eventually(lambda: server.backends(user) == 1)


async def test_mariadb_monitor_sees_all_sessions_and_the_bare_one_only_its_own(mariadb: Mariadb) -> None:
    other = await mariadb.admin()
    counted = {}
    for user in ("dbwatch", "dbwatch_bare"):
        session = await mariadb.connect(user)
        async with session.cursor() as cursor:
            await cursor.execute("SELECT count(*) > 1 FROM information_schema.processlist")
            (counted[user],) = await cursor.fetchone()
        await asyncio.to_thread(wait_for_one, mariadb, user)
        await session.ensure_closed()
    await other.ensure_closed()

    assert {"dbwatch": 1, "dbwatch_bare": 0} == counted
    assert "1" == mariadb.sql("SELECT @@performance_schema")


def test_mariadb_comes_without_performance_schema_and_replicates(
    new_mariadb: NewMariadb, mariadb_replica: NewReplica
) -> None:
    primary = new_mariadb()
    replica = mariadb_replica(primary)
    primary.sql("CREATE DATABASE here")

    assert "0" == primary.sql("SELECT @@performance_schema")
    assert eventually(lambda: replica.sql("SHOW DATABASES LIKE 'here'")) == "here"


def test_a_killed_mariadb_comes_back(new_mariadb: NewMariadb) -> None:
    server = new_mariadb("--max-connections=11")
    server.kill()
    server.start()

    assert "11" == server.sql("SELECT @@max_connections")


async def test_pgbouncer_pools_transactions(postgres_18: Postgres, pgbouncer: Callable[[Postgres], PgBouncer]) -> None:
    pooler = pgbouncer(postgres_18)
    session = await postgres_18.connect(port=pooler.port, statement_cache_size=0)
    try:
        assert await session.fetchval("SELECT 1") == 1
    finally:
        await session.close()


def test_a_black_hole_accepts_and_does_not_answer(black_hole: int) -> None:
    assert_silent(black_hole)


def test_a_refused_port_refuses(refused_port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", refused_port), 1)


def test_a_name_does_not_resolve(unresolvable_host: str) -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(unresolvable_host, 5432)


async def test_a_paused_proxy_is_silent_until_resumed(postgres_18: Postgres, proxy: Callable[[int], Proxy]) -> None:
    between = proxy(postgres_18.port)
    session = await postgres_18.connect(port=between.port)
    between.pause()
    with pytest.raises(TimeoutError):
        await session.fetchval("SELECT 1", timeout=0.3)
    between.resume()
    session.terminate()


async def test_a_cut_proxy_ends_the_session_and_a_slow_one_delays(
    postgres_18: Postgres, proxy: Callable[[int], Proxy]
) -> None:
    between = proxy(postgres_18.port)
    session = await postgres_18.connect(port=between.port)
    between.slow(0.1)
    began = time.monotonic()
    await session.fetchval("SELECT 1")

    assert time.monotonic() - began >= 0.2

    between.cut()
    with pytest.raises(asyncpg.PostgresConnectionError):
        await session.fetchval("SELECT 1")


def assert_silent(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 1) as client:
        client.settimeout(0.3)
        client.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")  # SSLRequest: a PostgreSQL answers with one byte
        with pytest.raises(TimeoutError):
            client.recv(1)
