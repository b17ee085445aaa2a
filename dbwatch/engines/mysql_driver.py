"""aiomysql as we need it: a login that never falls back to plain text, and a connection that can always be cut."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiomysql
from pymysql.constants import CLIENT

from dbwatch.engines import certificates
from dbwatch.engines.mysql_errors import PLUGIN_MISSING, UNEXPECTED
from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    import ssl

    from dbwatch.core.model import Lane
    from dbwatch.settings.models import Credentials, MysqlInstance

ERRORS: tuple[type[Exception], ...] = (aiomysql.Error, *UNEXPECTED)
CLOSE_SECONDS = 1.0
PLAIN_TEXT_PLUGINS = frozenset({"mysql_clear_password", "mysql_old_password"})
KNOWN_PLUGINS = frozenset({"mysql_native_password", "caching_sha2_password", "sha256_password"})
DRIVER = vars(aiomysql.Connection)


class Wire:
    """One connection of the driver, and what of its inside we must see: transport, result, times of the login."""

    def __init__(self, connection: Any, *, may_be_plain: bool) -> None:
        self._connection = connection
        self._may_be_plain = may_be_plain
        self._writer: asyncio.StreamWriter | None = None
        self._times: list[float] = []
        self._is_reached = False
        # The driver asks for it always. A collector is one statement: a second one could end the read-only session.
        connection.client_flag &= ~CLIENT.MULTI_STATEMENTS
        connection.guard = self

    @property
    def version_text(self) -> str:
        return str(self._connection.server_version)

    @property
    def is_closed(self) -> bool:
        return bool(self._connection.closed)

    @property
    def phases(self) -> dict[str, float]:
        """Seconds of the login: `tcp` up to the open connection, `auth` the rest, a TLS handshake within it."""
        start, connected, end = self._times
        return {"tcp": connected - start, "auth": end - connected}

    @property
    def is_silent(self) -> bool:
        """It is connected to, and did not say who it is: MySQL and MariaDB speak first."""
        return self._is_reached and len(self._times) == 1

    @property
    def certificate_not_after(self) -> float | None:
        return certificates.not_after(self._writer.transport if self._writer is not None else None)

    async def open(self) -> None:
        """Log in. The driver's `ping` connects where it is not connected: the only public way to a subclass."""
        self._times = [time.perf_counter()]
        try:
            await self._connection.ping(reconnect=True)
            self._times.append(time.perf_counter())
        finally:
            self._writer = vars(self._connection)["_writer"]
            if len(self._times) < len(("start", "greeting", "end")):
                self.cut()

    async def ping(self) -> None:
        await self._connection.ping(reconnect=False)

    async def ask(self, sql: str) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
        """Names and rows. Not through a cursor: that would fetch and print the server's warnings."""
        await self._connection.query(sql)
        result = vars(self._connection)["_result"]
        if result.description is None:
            return (), ()
        return tuple(column[0] for column in result.description), result.rows

    async def close(self) -> None:
        """Say goodbye, so that the server counts no aborted client; cut after a second."""
        try:
            with suppress(TimeoutError, *ERRORS):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._connection.ensure_closed()
                    if self._writer is not None:
                        await self._writer.wait_closed()
        finally:
            self.cut()

    def cut(self) -> None:
        """End it now: what the peer did not read is not waited for."""
        self._connection.close()
        if self._writer is not None:
            self._writer.transport.abort()

    def reached(self) -> None:
        """Something accepted the connection."""
        self._is_reached = True

    def greeted(self) -> None:
        """The server said who it is, and knows nothing of us yet: the last moment to walk away."""
        self._times.append(time.perf_counter())
        inside = vars(self._connection)
        wants_tls = inside["_ssl_context"] is not None
        if wants_tls and not self._may_be_plain and not self._connection.server_capabilities & CLIENT.SSL:
            raise EngineError(Reason.TLS, "the server offers no TLS, and the mode in force asks for it")
        # The plugin named here is the server's default, not our account's: begin with one that we know, and be asked
        # to switch. A password in plain text is never sent unasked.
        if inside["_server_auth_plugin"] not in KNOWN_PLUGINS:
            inside["_server_auth_plugin"] = "mysql_native_password"

    def asked_to_switch(self, plugin: str) -> None:
        """The server names the account's own plugin: refuse what would show the password to who listens."""
        if plugin in PLAIN_TEXT_PLUGINS and not vars(self._connection)["_secure"]:
            raise EngineError(Reason.AUTH, f"the server asks for the password in plain text ({plugin}) without TLS")
        if plugin not in KNOWN_PLUGINS | PLAIN_TEXT_PLUGINS:
            raise aiomysql.OperationalError(PLUGIN_MISSING, f"authentication plugin {plugin} is not supported")


async def _get_server_information(connection: Any) -> None:
    connection.guard.reached()
    await DRIVER["_get_server_information"](connection)
    connection.guard.greeted()


async def _process_auth(connection: Any, plugin_name: bytes, packet: Any) -> Any:
    connection.guard.asked_to_switch(plugin_name.decode("ascii", "replace"))
    return await DRIVER["_process_auth"](connection, plugin_name, packet)


# Made with type(): the driver has no types, and a checked class cannot derive from an unknown one.
_GuardedConnection = type(
    "_GuardedConnection",
    (aiomysql.Connection,),
    {"_get_server_information": _get_server_information, "_process_auth": _process_auth},
)


def wire(
    instance: MysqlInstance,
    lane: Lane,
    credentials: Credentials,
    password: str,
    *,
    database: str | None,
    tls: ssl.SSLContext | None,
    may_be_plain: bool,
) -> Wire:
    """A connection that is not open yet. Local files are never offered to the server; autocommit is its default."""
    connection = _GuardedConnection(
        host=instance.address,
        port=instance.port,
        unix_socket=str(instance.socket) if instance.socket else None,
        user=credentials.user,
        # The driver encodes passwords as Latin-1; the servers expect the bytes of UTF-8.
        password=password.encode().decode("latin-1"),
        db=database,
        charset="utf8mb4",
        autocommit=None,
        local_infile=False,
        ssl=tls,
        program_name=f"dbwatch/{lane}",
    )
    return Wire(connection, may_be_plain=may_be_plain)
