"""One login to PostgreSQL: who we are, over what, and what keeps us from harming the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import asyncpg

from dbwatch.engines.postgres_errors import NO_TLS_HERE
from dbwatch.settings.secrets import read_password
from dbwatch.settings.tls import ssl_context, tls_mode

if TYPE_CHECKING:
    import ssl

    from pydantic import SecretStr

    from dbwatch.core.model import Lane
    from dbwatch.engines.base import Purpose
    from dbwatch.settings.models import PostgresInstance

    Connection = asyncpg.Connection[asyncpg.Record]

# What keeps us from ever harming the server, whatever a collector's SQL says. This goes with the login itself:
WITH_THE_LOGIN = {
    "default_transaction_read_only": "on",
    "search_path": "pg_catalog",  # nobody's function of the same name is ever called
    "client_min_messages": "error",
}
# And this by a SET before the first question: the server's own value then stays in pg_settings.reset_val, to be shown.
BEFORE_THE_FIRST_QUESTION = {
    "lock_timeout": "200ms",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",  # compiling a catalogue query costs more than running it
    "max_parallel_workers_per_gather": "0",
    "work_mem": "16MB",  # 10,000 tables without a temporary file
    # A cut network must not leave our sessions behind for two hours, against our own connection limit.
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}
GUARDS = WITH_THE_LOGIN | BEFORE_THE_FIRST_QUESTION
UNNAMED = ""  # a statement that leaves nothing behind in a pooler's backend


@dataclass(frozen=True, slots=True)
class Login:
    """All that a login says."""

    host: str
    port: int
    user: str
    password: SecretStr | None
    database: str
    application: str
    context: ssl.SSLContext | None
    plain_text_allowed: bool  # where the server has no TLS

    @property
    def server(self) -> tuple[str, int]:
        return (self.host, self.port)


def login_of(instance: PostgresInstance, lane: Lane, database: str | None, purpose: Purpose) -> Login:
    credentials = getattr(instance, purpose) or instance.monitor
    return Login(
        host=instance.address,
        port=instance.port,
        user=credentials.user,
        password=read_password(credentials),
        database=database or instance.database,
        application=f"dbwatch/{lane}",
        context=ssl_context(instance),
        plain_text_allowed=tls_mode(instance) == "prefer",
    )


async def open_connection(login: Login, *, guarded: bool = True) -> Connection:
    """Guarded: what protects the server from the start goes with the login itself. Not guarded: through a pooler."""
    settings = {"application_name": login.application} | (WITH_THE_LOGIN if guarded else {})
    # The session keeps its own statements: room for one has asyncpg name them. In a pooler's backend, which others use
    # after us, nothing may have a name: not even what asyncpg asks about types.
    statements = 1 if guarded else 0
    try:
        return await _connect(login, settings, statements, tls=login.context or False)
    except ConnectionError as error:
        if not login.plain_text_allowed or NO_TLS_HERE not in str(error):
            raise
    return await _connect(login, settings, statements, tls=False)


async def _connect(
    login: Login, settings: dict[str, str], statements: int, *, tls: ssl.SSLContext | Literal[False]
) -> Connection:
    """Everything is said, so that no variable of our environment (PGPASSWORD, PGSSLMODE ...) has a say."""
    return await asyncpg.connect(
        host=login.host,
        port=login.port,
        user=login.user,
        password="" if login.password is None else login.password.get_secret_value(),
        database=login.database,
        ssl=tls,
        direct_tls=False,
        target_session_attrs=asyncpg.connect_utils.SessionAttribute.any,
        server_settings=settings,
        statement_cache_size=statements,
    )


async def guard(connection: Connection, version: tuple[int, ...], *, keep: bool) -> None:
    """The rest of the guards, in one round-trip. `keep`: a session that may be idle for as long as it likes."""
    settings = dict(BEFORE_THE_FIRST_QUESTION)
    if keep and version >= (14,):
        settings["idle_session_timeout"] = "0"
    await connection.execute("".join(f"SET {name} = '{value}';" for name, value in settings.items()))


async def is_guarded(connection: Connection) -> bool:
    """A pooler may be told to ignore what it cannot pass on: trust what the server says. (13 must be asked.)"""
    told = getattr(connection.get_settings(), "default_transaction_read_only", None)
    if told is None:
        statement = await connection.prepare("SHOW default_transaction_read_only", name=UNNAMED)
        told = await statement.fetchval()
    return str(told) == "on"
