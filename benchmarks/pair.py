"""dbwatch and its peer side by side in one run: each on its own copy of the same server, their scrapes interleaved.

Both do the same work on the same noisy machine within the same minute, so that their ratio means something.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import daemon, names, peer, proc, servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.scrape import Client, Reply

CYCLE_SECONDS = 15.0
CYCLES = 4  # one round is one minute
OURS, PEER = "dbwatch", "peer"


@dataclass(frozen=True, slots=True)
class Side:
    """One exporter, the server it watches, and when in a cycle it is scraped."""

    name: str
    pid: int
    server: servers.Server
    client: Client
    offset_seconds: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What one side used in one round, and what it gave."""

    seconds: float
    exporter_seconds: float
    backend_seconds: float
    logins: int
    replies: tuple[Reply, ...]

    @property
    def samples(self) -> int:
        return sum(reply.samples for reply in self.replies)

    @property
    def microseconds_per_sample(self) -> float:
        return self.exporter_seconds / self.samples * 1e6

    @property
    def backend_seconds_per_minute(self) -> float:
        return self.backend_seconds * 60 / self.seconds


def _cycle(side: Side, starts: float) -> Reply:
    """One scrape, then the rest of its 15 s; a peer that is late for its next is not waited for by the other side."""
    time.sleep(max(0.0, starts + side.offset_seconds - time.monotonic()))
    reply = side.client.get()
    time.sleep(max(0.0, starts + CYCLE_SECONDS - time.monotonic()))
    return reply


def _side_round(side: Side) -> Usage:
    logins = side.server.logins()
    exporter, backend = proc.cpu_seconds(side.pid), side.server.cpu_seconds()
    started = time.monotonic()
    replies = tuple(_cycle(side, started + number * CYCLE_SECONDS) for number in range(CYCLES))
    seconds = time.monotonic() - started
    exporter, backend = proc.cpu_seconds(side.pid) - exporter, side.server.cpu_seconds() - backend
    return Usage(seconds, exporter, backend, side.server.logins() - logins - 1, replies)  # the question is a login too


def one_round(sides: Sequence[Side]) -> dict[str, Usage]:
    """A minute of both sides at once, each by its own clock."""
    with ThreadPoolExecutor(max_workers=len(sides)) as both:
        return dict(zip((side.name for side in sides), both.map(_side_round, sides), strict=True))


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides while they run; `ours` is None where there is no daemon yet."""

    sides: tuple[Side, ...]
    ours: daemon.Daemon | None
    peer: peer.Peer


@contextmanager
def running(name: str, fill: Callable[[servers.Server], None], *, every_table: bool) -> Iterator[Pair]:
    """Two servers with the same data, one exporter each."""
    with ExitStack() as stack:
        theirs_server = stack.enter_context(servers.running(name, fill, copy=1))
        theirs = stack.enter_context(peer.running(theirs_server, name))
        sides = [Side(PEER, theirs.pid, theirs_server, theirs.client, CYCLE_SECONDS / 2)]
        ours = None
        if not daemon.missing():
            server = stack.enter_context(servers.running(name, fill))
            watched = names.instance(server, name, every_table=True) if every_table else names.by_default(server, name)
            ours = stack.enter_context(daemon.running({name: watched}))
            sides.insert(0, Side(OURS, ours.pid, server, ours.client, 0.0))
        yield Pair(tuple(sides), ours, theirs)


def median(rounds: Sequence[dict[str, Usage]], side: str, figure: Callable[[Usage], float]) -> float:
    return statistics.median(figure(usage[side]) for usage in rounds)


def ratio(rounds: Sequence[dict[str, Usage]], figure: Callable[[Usage], float]) -> float:
    """The peer's figure over ours, round by round, so that a slow minute is slow for both; the median."""
    return statistics.median(figure(usage[PEER]) / max(figure(usage[OURS]), 1e-9) for usage in rounds)
