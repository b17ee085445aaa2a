"""What the demonstration hands out: where each server is, and who may log in."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EngineName = Literal["postgres", "mysql"]


@dataclass(frozen=True, slots=True)
class Login:
    """A role of the demonstration; its password is made up anew at each start and never printed."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A running server that holds nothing yet but its administrator."""

    engine: EngineName
    host: str
    port: int
    socket: Path  # the socket's directory (PostgreSQL) or the socket itself (MariaDB)
    log: Path
    admin: Login
    programs: Path  # the directory of its programs: those of a backup are beside the server's


@dataclass(frozen=True, slots=True)
class DemoServer:
    """A running server with the databases loaded. `databases[0]` is the busiest."""

    address: ServerAddress
    monitor: Login
    backup: Login
    application: Login
    reporting: Login
    databases: tuple[str, ...]
    reporting_databases: tuple[str, ...]  # where the reporting role may read

    @property
    def engine(self) -> EngineName:
        return self.address.engine

    @property
    def host(self) -> str:
        return self.address.host

    @property
    def port(self) -> int:
        return self.address.port


@dataclass(frozen=True, slots=True)
class DemoEstate:
    """What runs, and for what does not: why."""

    servers: tuple[DemoServer, ...]
    absent: Mapping[EngineName, str] = field(default_factory=lambda: MappingProxyType({}))

    def server(self, engine: EngineName) -> DemoServer | None:
        return next((server for server in self.servers if server.engine == engine), None)
