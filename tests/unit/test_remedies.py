"""What goes wrong outside of us is told with what to do about it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from dbwatch import engines, library
from dbwatch.cli import initial
from dbwatch.core.model import Lane
from dbwatch.errors import ConfigError, DbwatchError, EngineError, Reason
from dbwatch.history import database
from dbwatch.http import listen, live_config
from dbwatch.poller import advice
from dbwatch.settings.models import MysqlInstance, PostgresInstance
from tests.fix_tls import make_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


async def refused(instance: PostgresInstance | MysqlInstance) -> EngineError:
    engine = engines.load(instance.identity.engine, library.load())
    with pytest.raises(EngineError) as caught:
        await engine.connect(instance, Lane.FAST)
    return caught.value


async def test_a_peer_that_speaks_another_protocol_is_told_as_such() -> None:
    """MariaDB greets first and is not understood; PostgreSQL and HTTP wait for the client to speak."""

    async def greets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x4a\x00\x00\x00\x0a11.4.2-MariaDB\x00")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greets, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        instance = {"name": "p", "host": "127.0.0.1", "port": port, "monitor": {"user": "u"}}
        error = await refused(PostgresInstance.model_validate({"engine": "postgres", **instance}))
    assert (Reason.LOST, True) == (error.reason, "`engine` and `port`" in advice.of(error))


async def test_a_peer_that_waits_for_us_to_speak_is_no_mysql() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        instance = {"name": "m", "host": "127.0.0.1", "port": port, "monitor": {"user": "u"}, "connect_timeout": 0.2}
        error = await refused(MysqlInstance.model_validate({"engine": "mysql", **instance}))
    assert (Reason.TIMEOUT, True) == (error.reason, "`engine` and `port`" in advice.of(error))


@contextmanager
def told(part: str, *parts: str) -> Iterator[None]:
    with pytest.raises(DbwatchError) as caught:
        yield
    assert all(each in str(caught.value) for each in (part, *parts)), caught.value


def test_a_file_where_a_directory_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    file.touch()
    for path in (file, file / "below"):
        with told("not a directory"), database.locked(path):
            pass
        with told("is not a directory"):
            initial.write(path)


def test_a_directory_in_use(tmp_path: Path) -> None:
    with database.locked(tmp_path), told("is in use", "->"), database.locked(tmp_path):
        pass


async def test_an_address_of_another_machine() -> None:
    with told("cannot assign requested address", "->"):
        await listen.bind(listen.parse("192.0.2.1:1"))


def test_the_file_of_a_wrong_web_configuration_is_named(tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    with pytest.raises(ConfigError, match=r"web.yml: cannot be read: .* -> "):
        live_config.load(file)
    file.write_text("tls_server_config: {cert_file: x, key_file: y}")
    with pytest.raises(ConfigError, match=r"web.yml: tls_server_config: .*: cannot be used: .* -> "):
        live_config.load(file)


def test_a_key_and_a_certificate_that_are_exchanged_are_told_so(tmp_path: Path) -> None:
    made = make_certificates(tmp_path / "pki")
    file = tmp_path / "web.yml"
    file.write_text(f"tls_server_config: {{cert_file: {made.server_key}, key_file: {made.server_certificate}}}")
    with pytest.raises(ConfigError, match=r"web.yml: tls_server_config: .*: cannot be used: .* exchanged\? -> "):
        live_config.load(file)
