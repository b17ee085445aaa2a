"""PgBouncer in transaction pooling: a session is a different backend after each transaction."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.fix_postgres import BARE, MONITOR, PASSWORD, Postgres
from tests.fix_process import ServerProcess, free_port, program, workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = 2
ignore_startup_parameters = extra_float_digits
"""


class PgBouncer(ServerProcess):
    """One pooler in front of one PostgreSQL."""

    def __init__(self, directory: Path, behind: Postgres) -> None:
        super().__init__(directory)
        self.host, self.port = "127.0.0.1", free_port()
        self.behind = behind

    def start(self) -> PgBouncer:
        self._write_configuration()
        self.spawn([program("pgbouncer"), self.directory / "pgbouncer.ini"])
        self.wait_ready(lambda: "process up" in self.log())
        return self

    def stop(self) -> None:
        self.end(signal.SIGTERM)

    def instance(self, *, user: str = MONITOR, **overrides: object) -> dict[str, object]:
        """The server behind it, as an entry of dbwatch's `instances`, reached through the pooler."""
        return self.behind.instance(user=user, port=self.port, **overrides)

    def _write_configuration(self) -> None:
        users, where = self.directory / "users.txt", self.behind
        users.write_text("".join(f'"{name}" "{PASSWORD}"\n' for name in (MONITOR, BARE)))
        text = CONFIGURATION.format(host=where.host, port=where.port, listen_port=self.port, users=users)
        (self.directory / "pgbouncer.ini").write_text(text)


@pytest.fixture
def pgbouncer() -> Iterator[Callable[[Postgres], PgBouncer]]:
    """Put a pooler in front of a server: `pgbouncer(postgres_18)`."""
    with ExitStack() as stack:

        def make(behind: Postgres) -> PgBouncer:
            server = PgBouncer(stack.enter_context(workspace()), behind)
            stack.callback(server.stop)
            return server.start()

        yield make
