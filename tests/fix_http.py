"""A store filled by hand, and the real HTTP side served over it, for the tests of the http room."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbwatch import files
from dbwatch.core import catalogue
from dbwatch.core.exposition import Renderer
from dbwatch.core.model import Block, Facts, Identity, Role, Snapshot
from dbwatch.http.doors import Doors
from dbwatch.http.own_metrics import OwnMetrics
from dbwatch.http.server import serve
from dbwatch.settings.models import Http
from dbwatch.store import CollectorStatus, InstanceState, Store
from tests.fix_process import program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

FAMILIES = catalogue.families((files.sql_root() / "families.yml").read_text(), "families.yml")
POSTGRES = Facts("postgres", (16, 4), "PostgreSQL 16.4", Role.PRIMARY)


def single(family: str, value: float, **labels: str) -> Block:
    return Block(family, tuple(labels), tuple((text,) for text in labels.values()), (value,))


def put(store: Store, identity: Identity, collector: str, *blocks: Block, taken_at: float | None = None) -> None:
    """As the poller does it."""
    renderer = Renderer(identity)
    lines: dict[str, tuple[bytes, ...]] = {}
    for position, block in enumerate(blocks):
        lines[block.family] = (*lines.get(block.family, ()), *renderer.render(collector, position, block))
    moment = time.time() if taken_at is None else taken_at
    store.put(Snapshot(identity.db_instance, collector, moment, 0.01, blocks), lines)


def status(name: str, **known: Any) -> CollectorStatus:
    healthy: dict[str, Any] = {"succeeded": True, "last_success_at": time.time(), "seconds": 0.01, "series": 3}
    return CollectorStatus(name, "fast", 15.0, **{**healthy, **known})


def healthy_state(identity: Identity, *collectors: CollectorStatus) -> InstanceState:
    now = time.time()
    return InstanceState(
        identity,
        address="db.test:5432",
        up=True,
        since=now - 3600,
        checked_at=now - 3,
        facts=POSTGRES,
        collectors={each.name: each for each in collectors},
    )


def filled_store(*names: str) -> Store:
    store = Store(FAMILIES)
    for name in names or ("citoyens", "rdv"):
        identity = Identity(name, "postgres", "prod", "etat-civil", "dba")
        store.put_state(healthy_state(identity, status("sessions")))
        put(
            store,
            identity,
            "sessions",
            Block(
                "dbwatch_sessions",
                ("database", "user", "app", "state"),
                (("app", "app"), ("web", "web"), ("x", "x"), ("active", "idle")),
                (3.0, 9.0),
            ),
            single("dbwatch_sessions_max", 100.0),
        )
    return store


async def nothing() -> tuple[str, ...]:
    return ()


def doors(**replaced: Any) -> Doors:
    given: dict[str, Any] = {"reload": nothing, "ready": str, "healthy": str, **replaced}
    return Doors(**given)


@dataclass(frozen=True)
class Answer:
    """What curl saw."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Running:
    """A server under test."""

    url: str
    address: str
    own: OwnMetrics

    async def curl(self, path: str, *options: str) -> Answer:
        return await curl(*options, self.url + path)


async def curl(*arguments: str) -> Answer:
    """The real curl; its exit code must be 0."""
    command = [str(program("curl")), "-s", "-S", "-i", "--max-time", "20", *arguments]
    began = time.perf_counter()
    code, out, error = await run(command)
    assert code == 0, error.decode()
    head, _, body = out.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), headers, body, time.perf_counter() - began)


async def run(command: Sequence[str], given: bytes = b"") -> tuple[int, bytes, bytes]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    out, error = await process.communicate(given)
    return process.returncode or 0, out, error


@asynccontextmanager
async def running(
    store: Store, own_doors: Doors | None = None, *, control_socket: Path | None = None, **http: object
) -> AsyncIterator[Running]:
    """The HTTP side on a port of its own."""
    settings = Http.model_validate({"listen_addresses": ("127.0.0.1:0",), **http})
    own = OwnMetrics()
    context = serve(
        settings, store, own_doors or doors(), own, control_socket=control_socket, config_check_seconds=0.05
    )
    async with context as served:
        yield Running(f"{served.scheme}://{served.addresses[0]}", served.addresses[0], own)
