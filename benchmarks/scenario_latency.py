"""How long a scrape of the great page takes: in health, with a table locked, with the server stopped dead."""

from __future__ import annotations

import multiprocessing
import socket
import subprocess
import time
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import quantiles
from benchmarks.data import BIG
from benchmarks.scrape import Client
from benchmarks.servers import SUPERUSER
from benchmarks.steady import steadily
from benchmarks.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from benchmarks.daemon import Daemon
    from benchmarks.peer import Peer
    from benchmarks.servers import Server
    from benchmarks.table import Report

LIMIT_MILLISECONDS = {True: 25.0, False: 150.0}
SCRAPES = {True: 340, False: 170}  # enough for a 99th percentile that is not the worst one
PAUSE_SECONDS = 0.05  # a healthy run lasts longer than an interval of 15 s: scrapes meet a poll
TROUBLED_SHARE = 0.6  # a run in trouble ends before 3 intervals have passed: values are still due
FLOOR_RUNS = 30
PEER_PATIENCE_SECONDS = 10.0  # Prometheus's default scrape_timeout
HEALTHY = "healthy"
LOCK = "begin; lock table t_05000 in access exclusive mode; select 'locked';\n"


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """What an ALTER TABLE that was not committed holds."""
    command = ["psql", "-XqAt", server.url(SUPERUSER, BIG)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
        if session.stdin is None or session.stdout is None:
            raise RuntimeError("psql was started without pipes")
        session.stdin.write(LOCK)
        session.stdin.flush()
        session.stdout.readline()
        try:
            yield
        finally:
            session.stdin.close()  # psql ends, its transaction with it


def _milliseconds(daemon: Daemon, scrapes: int, *, compressed: bool) -> list[float]:
    seconds = []
    for _ in range(scrapes):
        seconds.append(daemon.client.timed(compressed=compressed))
        time.sleep(PAUSE_SECONDS)
    return [each * 1000 for each in seconds]


def _one(report: Report, daemon: Daemon, state: str, *, compressed: bool) -> None:
    scrapes = int(SCRAPES[compressed] * (1.0 if state == HEALTHY else TROUBLED_SHARE))
    encoding = "gzip" if compressed else "identity"
    measure = partial(_milliseconds, daemon, scrapes, compressed=compressed)
    taken = steadily(f"{encoding}, {state}", measure) if state == HEALTHY else measure()  # trouble may not last
    what = f"scrape p99, {encoding}, {state} (median {quantiles.quantile(taken, 0.5):.1f} ms)"
    report.promise(what, quantiles.quantile(taken, 0.99), LIMIT_MILLISECONDS[compressed], "ms")


def _samples(report: Report, daemon: Daemon, state: str, healthy: int) -> None:
    found = daemon.client.get().samples
    kept = found >= 0.99 * healthy
    report.add(Row(f"samples of the page, {state}", f"{found:,}", "", f"as in health ({healthy:,})", kept))


def _serve_once(listener: socket.socket, page: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1)
        connection.sendall(page)


def _bare_transfer(size_bytes: int) -> float:
    """Milliseconds that another process's bytes need through the loopback: no server can be faster."""
    page, taken = bytes(size_bytes), memoryview(bytearray(size_bytes))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = multiprocessing.get_context("fork").Process(target=_serve_once, args=(listener, page))
        sender.start()
        with socket.create_connection(listener.getsockname()) as connection:
            started = time.perf_counter()
            connection.sendall(b"?")
            received = 0
            while received < size_bytes:
                received += connection.recv_into(taken[received:])
            seconds = time.perf_counter() - started
        sender.join()
    return seconds * 1000


def _report_floor(report: Report, size_bytes: int) -> None:
    taken = [_bare_transfer(size_bytes) for _ in range(FLOOR_RUNS)]
    told = f"median {quantiles.quantile(taken, 0.5):.1f} ms, p99 {quantiles.quantile(taken, 0.99):.1f} ms"
    report.add(Row(f"(for scale) {size_bytes / 1e6:.0f} MB through a bare loopback socket", told))


def report_ours(report: Report, daemon: Daemon, server: Server) -> None:
    page = daemon.client.get(compressed=False)
    healthy = page.samples
    _report_floor(report, page.wire_bytes)
    states: dict[str, AbstractContextManager[None]] = {
        HEALTHY: nullcontext(),
        "a table locked": locked(server),
        "server stopped dead": server.frozen(),
    }
    for state, trouble in states.items():
        with trouble:
            for compressed in (True, False):
                _one(report, daemon, state, compressed=compressed)
            _samples(report, daemon, state, healthy)


def _scraped(client: Client) -> str:
    try:
        reply = client.get()
    except TimeoutError:
        return f"nothing within {PEER_PATIENCE_SECONDS:g} s"
    return f"{reply.seconds:.1f} s, {reply.samples:,} samples"


def report_peer(report: Report, peer: Peer, server: Server) -> None:
    """The same troubles for the peer, one scrape each."""
    for state, trouble in {"a table locked": locked(server), "server stopped dead": server.frozen()}.items():
        client = Client(peer.client.port, PEER_PATIENCE_SECONDS)
        with trouble:
            report.add(Row(f"the peer's scrape, {state}", "", _scraped(client)))
        client.close()
        time.sleep(PEER_PATIENCE_SECONDS)  # its stuck connection comes free
