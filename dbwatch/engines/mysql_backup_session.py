"""Sessions of a backup: the account for backups, what our questions ask, and the option file of the client programs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dbwatch.core.conditions import choose
from dbwatch.core.model import Lane, Query
from dbwatch.engines.mysql import MysqlEngine
from dbwatch.engines.mysql_backup_programs import MARIADB
from dbwatch.errors import EngineError, Reason
from dbwatch.settings.models import MysqlInstance
from dbwatch.settings.secrets import read_password
from dbwatch.settings.tls import tls_mode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Any

    from dbwatch.core.model import Facts
    from dbwatch.engines.base import Questions
    from dbwatch.engines.mysql import MysqlSession
    from dbwatch.settings.models import Instance

ENGINE = "mysql"
PREFIX = "backup_"
LEAST_LOCK_SECONDS = 1
KEY_MODES = frozenset({"disabled", "preferred"})
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


@dataclass
class Asker:
    """One session that puts our questions; each bears the name of the run, by which the server's list shows it."""

    session: MysqlSession
    questions: Questions
    application: str

    @property
    def hello(self) -> Facts:
        return self.session.hello

    async def ask(
        self, name: str, fill: Mapping[str, object] | None = None, *, seconds: float | None = None
    ) -> list[dict[str, Any]]:
        """The rows of sql/mysql/jobs/backup_<name>.sql."""
        sql = self.text(name)
        for key, value in (fill or {}).items():
            sql = sql.replace(f"{{{key}}}", str(value))
        limit = self.questions.question(ENGINE, PREFIX + name).timeout_seconds
        return await self.raw(f"{name} {self.application}", sql, seconds or limit)

    def text(self, name: str) -> str:
        """The SQL of a question as it is for this server."""
        return text(self.questions, name, self.hello)

    async def raw(self, name: str, sql: str, seconds: float) -> list[dict[str, Any]]:
        rows = await self.session.fetch(Query(name, sql, seconds))
        return [dict(zip(rows.names, each, strict=True)) for each in zip(*rows.columns, strict=True)]

    async def one(self, name: str) -> dict[str, Any]:
        rows = await self.ask(name)
        return rows[0] if rows else {}


def text(questions: Questions, name: str, server: Facts) -> str:
    sql = choose(questions.question(ENGINE, PREFIX + name).variants, server)
    if sql is None:
        raise EngineError(Reason.MISSING, f"{name}: nothing to ask of {server.version_text}")
    return sql


@asynccontextmanager
async def asker(
    instance: Instance, questions: Questions, application: str, *, lock_seconds: float = LEAST_LOCK_SECONDS
) -> AsyncIterator[Asker]:
    session = await MysqlEngine(questions).connect(instance, Lane.HEAVY, purpose="backup")
    try:
        opened = Asker(session, questions, application)
        await opened.ask("session", {"seconds": max(LEAST_LOCK_SECONDS, int(lock_seconds))})
        yield opened
    finally:
        await session.close()


def option_file(instance: Instance, flavour: str) -> SecretStr:
    """How the client programs log in: never on a command line, never in an environment."""
    if not isinstance(instance, MysqlInstance):
        raise TypeError(f"{instance.name} is not a MySQL instance")
    credentials = instance.backup or instance.monitor
    password = read_password(credentials)
    lines = ["[client]", f"user={_value(credentials.user)}"]
    if password is not None:
        lines.append(f"password={_value(password.get_secret_value())}")
    lines += [*_where(instance), *_tls(instance, flavour)]
    return SecretStr("\n".join(lines) + "\n")


def _where(instance: MysqlInstance) -> list[str]:
    if instance.socket is not None:
        return [f"socket={_value(str(instance.socket))}", "protocol=socket"]
    return [f"host={_value(instance.address)}", f"port={instance.port}", "protocol=tcp"]


def _tls(instance: MysqlInstance, flavour: str) -> list[str]:
    """MariaDB's clients have no modes: to verify, and whether the name too, are options of their own."""
    mode, tls = tls_mode(instance), instance.tls
    files = {"ssl-ca": tls.ca_file, "ssl-cert": tls.certificate_file, "ssl-key": tls.key_file}
    lines = [f"{name}={_value(str(path))}" for name, path in files.items() if path is not None]
    if flavour != MARIADB:
        # Without TLS the password goes out under the server's public key, as our own sessions send it.
        return [f"ssl-mode={mode.upper()}", *lines, *(["get-server-public-key"] if mode in KEY_MODES else [])]
    if mode == "disabled":
        return ["skip-ssl"]
    if mode == "verify_identity":
        return ["ssl", "ssl-verify-server-cert", *lines]
    return ["loose-skip-ssl-verify-server-cert", *(["ssl"] if mode != "preferred" else []), *lines]


def _value(text: str) -> str:
    return f'"{text.translate(ESCAPES)}"'
