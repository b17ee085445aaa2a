"""What a backup costs beside the bare tool: pg_dump by hand and through the jobs, in turns, with the same options."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import backup_data, foreign, proc, quantiles, servers
from benchmarks.paths import CACHE, server_root
from benchmarks.table import Row
from dbwatch import library
from dbwatch.archive import hashing
from dbwatch.core.backups.model import FactsMode
from dbwatch.engines import load_backing
from dbwatch.engines.backing import DumpOptions
from dbwatch.jobs import process
from dbwatch.settings.models import PostgresInstance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from benchmarks.servers import Server
    from benchmarks.table import Report
    from dbwatch.core.backups.model import Facts
    from dbwatch.engines.backing import Command, Pipeline, Source

GB = 1e9
BARE_BYTES = 256 * 1024 * 1024
PROBE_SECONDS = 0.005
LOOK_SECONDS = 1.0
RATIO_LIMIT, DAEMON_LIMIT, HASHING_LIMIT, CODEC_LIMIT = 1.05, 0.6, 1.0, 7.0
LAG_LIMIT_MILLISECONDS, MEMORY_LIMIT_MIB = 30.0, 8.0
CLIENT = CACHE.parent / "lab" / "postgres-client-18"  # fetched by `make bench-backup`
SETTLE_SECONDS = 0.2  # a backend that ended is its parent's a moment later


@dataclass(frozen=True, slots=True)
class Cost:
    """One dump. `daemon`: our own process."""

    client: float
    server: float
    daemon: float
    wall: float

    @property
    def total(self) -> float:
        return self.client + self.server + self.daemon


@dataclass
class Side:
    """What was measured of each round, with the first pg_dump of these directories."""

    programs: tuple[Path, ...]
    bare: list[Cost] = field(default_factory=list)
    ours: list[Cost] = field(default_factory=list)
    hashing_seconds: list[float] = field(default_factory=list)  # of CPU
    facts_seconds: list[float] = field(default_factory=list)  # of the clock
    lag_milliseconds: list[float] = field(default_factory=list)
    grown_mib: list[float] = field(default_factory=list)
    dump_bytes: int = 0
    pipeline: str = ""


def run(report: Report, *, rounds: int, megabytes: int) -> None:
    """With the client beside the server, which has no zstd, and with Debian's, which compresses by itself."""
    name = f"{backup_data.NAME}-{megabytes}"
    home, wrappers = server_root() / "dumps", server_root() / "client"
    with servers.running(name, backup_data.filling(megabytes)) as server:
        size = int(server.sql(f"select pg_database_size('{backup_data.NAME}')"))
        report.add(Row(f"database of {size / GB:.2f} GB", ""))
        try:
            for programs in ((servers.binaries(),), (_with_zstd(wrappers), servers.binaries())):
                _tell(report, asyncio.run(_measured(server, home, rounds, programs)), size)
        finally:
            for directory in (home, wrappers):
                shutil.rmtree(directory, ignore_errors=True)


def _with_zstd(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    own = CLIENT / "usr/lib/postgresql/18/bin"
    return foreign.wrapped(CLIENT, (own / name for name in ("pg_dump", "pg_dumpall", "pg_restore")), directory)


async def _measured(server: Server, home: Path, rounds: int, programs: tuple[Path, ...]) -> Side:
    side = Side(programs)
    await _ours(server, home, Side(programs))  # both pay for their first time before the clock runs
    await _bare(server, home, programs)
    for number in range(rounds):
        order = (_ours_into, _bare_into) if number % 2 else (_bare_into, _ours_into)
        for one in order:
            await one(server, home, side)
    return side


async def _bare_into(server: Server, home: Path, side: Side) -> None:
    side.bare.append(await _bare(server, home, side.programs))


async def _ours_into(server: Server, home: Path, side: Side) -> None:
    side.ours.append(await _ours(server, home, side))


def _instance(server: Server) -> PostgresInstance:
    user = {"user": servers.SUPERUSER}
    where = {"host": "127.0.0.1", "port": server.port, "monitor": user, "backup": user}
    return PostgresInstance.model_validate({"name": "bench", "engine": "postgres"} | where)


@asynccontextmanager
async def _opened(
    server: Server, home: Path, programs: tuple[Path, ...], facts: FactsMode = FactsMode.OFF
) -> AsyncIterator[Source]:
    """The dump of the database itself, ready to be run."""
    await asyncio.to_thread(_emptied, home)
    instance = _instance(server)
    options = DumpOptions(include=(backup_data.NAME,), facts=facts, program_directories=programs)
    backing = load_backing("postgres", library.load())
    known = await backing.preflight(instance, options)
    step = backing.steps(instance, known, options, home, private=home, application="dbwatch/bk/bench")[-1]
    async with step.opened() as source:
        yield source


def _emptied(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)


async def _bare(server: Server, home: Path, programs: tuple[Path, ...]) -> Cost:
    """The same words, by hand: a snapshot of its own instead of ours."""
    async with _opened(server, home, programs) as source:
        pipeline = source.pipelines[0]
    words = [[word for word in command.argv if not word.startswith("--snapshot")] for command in pipeline.commands]
    before, began = server.cpu_seconds(), time.monotonic()
    client = await asyncio.to_thread(_by_hand, words, pipeline, home / "bare")
    wall = time.monotonic() - began
    await asyncio.sleep(SETTLE_SECONDS)
    return Cost(client, server.cpu_seconds() - before, 0.0, wall)


def _by_hand(words: Sequence[Sequence[str]], pipeline: Pipeline, target: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, **pipeline.commands[0].environment}
    with target.open("wb") as file:
        started: list[subprocess.Popen[bytes]] = []
        for number, argv in enumerate(words):
            source = started[-1].stdout if started else subprocess.DEVNULL
            sink = file if number == len(words) - 1 else subprocess.PIPE
            started.append(subprocess.Popen(argv, stdin=source, stdout=sink, env=environment))
        if any(each.wait() for each in reversed(started)):
            raise RuntimeError("the bare tool failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _ours(server: Server, home: Path, side: Side) -> Cost:
    """The dump phase alone, watched as a job is; then what is proven of it, timed apart."""
    async with _opened(server, home, side.programs) as source:
        resident = _resident()
        async with _probed(side):
            cost = await _dumped(server, source)
            path = source.outputs[0].path
            files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
            before = _own_cpu()
            sums = await hashing.hashed(files)
            side.hashing_seconds.append(_own_cpu() - before)
        side.grown_mib.append(max(0, _highest() - resident) / proc.MIB)
        side.dump_bytes = sum(each.size_bytes for each in sums)
        side.pipeline = " | ".join(map(_shown, source.pipelines[0].commands))
    async with _opened(server, home, side.programs, FactsMode.FULL) as source:
        began = time.monotonic()
        _check(await source.facts())
        side.facts_seconds.append(time.monotonic() - began)
    return cost


def _check(facts: Facts) -> None:
    if not facts.comparable or any(table.digest is None for table in facts.tables):
        raise RuntimeError("the facts were not whole")


async def _dumped(server: Server, source: Source) -> Cost:
    before, own, began = server.cpu_seconds(), _own_cpu(), time.monotonic()
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(_watched(source), name="watch")
        ended = await process.run(source.pipelines[0], on_started=source.dump_started)
        watch.cancel()
    await source.finished()
    wall, daemon = time.monotonic() - began, _own_cpu() - own
    await asyncio.sleep(SETTLE_SECONDS)
    return Cost(sum(each.cpu_seconds for each in ended), server.cpu_seconds() - before, daemon, wall)


async def _watched(source: Source) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await source.blocking()
        await source.progress()


@asynccontextmanager
async def _probed(side: Side) -> AsyncIterator[None]:
    """How late the event loop is, every few milliseconds, and the most memory that is taken."""
    _forget_highest()
    async with asyncio.TaskGroup() as group:
        probe = group.create_task(_lag(side.lag_milliseconds), name="lag")
        yield
        probe.cancel()


async def _lag(found: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + PROBE_SECONDS
        await asyncio.sleep(PROBE_SECONDS)
        found.append((loop.time() - due) * 1000)


def _bare_sha256_seconds() -> float:
    """CPU of the sum alone, of bytes that are in memory already."""
    body = bytes(BARE_BYTES)
    before = _own_cpu()
    hashlib.sha256(body).digest()
    return _own_cpu() - before


def _forget_highest() -> None:
    """The highest is counted anew."""
    Path("/proc/self/clear_refs").write_text("5")


def _resident() -> int:
    return proc.memory(os.getpid()).resident_bytes


def _highest() -> int:
    return proc.memory(os.getpid()).highest_bytes


def _shown(command: Command) -> str:
    return " ".join([Path(command.argv[0]).name, *(word for word in command.argv if word.startswith("--compress"))])


def _tell(report: Report, side: Side, database_bytes: int) -> None:
    gigabytes, dumped = database_bytes / GB, side.dump_bytes / GB
    ratios = [ours.total / bare.total for ours, bare in zip(side.ours, side.bare, strict=True)]
    walls = [ours.wall / bare.wall for ours, bare in zip(side.ours, side.bare, strict=True)]
    median = statistics.median
    shown = f"{median(cost.total for cost in side.bare):.2f} s"
    report.add(Row(f"dump of {dumped:.2f} GB by {side.pipeline}", ""))
    what = f"backup: CPU against the bare tool (each pair {min(ratios):.3f} to {max(ratios):.3f})"
    report.promise(what, median(ratios), RATIO_LIMIT, "x", peer=shown)
    report.add(Row("backup: wall clock against the bare tool", f"{median(walls):.3f} x"))
    # Absolute figures are the least of all rounds: what neighbours on the host do to them is only ever added.
    own = min(cost.daemon for cost in side.ours) / gigabytes
    report.promise("backup: the daemon's own CPU per GB, hashing apart, least", own, DAEMON_LIMIT, "s")
    hashing_seconds = min(side.hashing_seconds)
    report.promise("backup: hashing, CPU per GB, least", hashing_seconds / gigabytes, HASHING_LIMIT, "s")
    bare = f"{_bare_sha256_seconds() / BARE_BYTES * GB:.2f} s"  # all that this processor can do
    report.add(Row("backup: hashing, CPU per GB of dump", f"{hashing_seconds / dumped:.2f} s", bare))
    lag = quantiles.quantile(side.lag_milliseconds, 0.99)
    report.promise("backup: the event loop is late, p99", lag, LAG_LIMIT_MILLISECONDS, "ms")
    report.promise("backup: memory that a job takes", max(side.grown_mib), MEMORY_LIMIT_MIB, "MiB")
    total, theirs = (min(cost.client + cost.server for cost in each) / gigabytes for each in (side.ours, side.bare))
    what, shown = "backup: client and server CPU per GB, default codec, least", f"{theirs:.2f} s"
    if " | " in side.pipeline:
        report.add(Row(what, f"{total:.2f} s", shown))
    else:
        report.promise(what, total, CODEC_LIMIT, "s", peer=shown)
    report.add(
        Row(
            "proof: facts (rows and content of every table), seconds per GB",
            f"{median(side.facts_seconds) / gigabytes:.2f}",
        )
    )
