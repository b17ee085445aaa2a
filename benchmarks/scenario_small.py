"""One small instance, a start, a help text; then two hundred instances on one core."""

from __future__ import annotations

import statistics
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import daemon, names, proc, quantiles, servers
from benchmarks.data import SMALL, fill_small
from benchmarks.steady import steadily
from benchmarks.table import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.servers import Server
    from benchmarks.table import Report

STARTS = 3
HELP_RUNS = 7
SETTLED_SECONDS = 45.0
MANY = 200
SERVERS = 8  # one server with the sessions of all 200 would measure pg_stat_activity, not us
MANY_SECONDS = 90.0
MEMORY_LIMIT_MIB = 80.0
FIRST_SCRAPE_LIMIT_SECONDS = 1.5
HELP_LIMIT_SECONDS = 0.3
LATENESS_LIMIT_SECONDS = 1.0
INSTANCE_KIB, SERIES_KIB = 0.3 * 1024, 0.5


def report_help(report: Report) -> None:
    """A person waits for it: wall time, the first run (cold caches) left out."""
    taken = []
    for _ in range(HELP_RUNS):
        started = time.perf_counter()
        subprocess.run([daemon.PROGRAM, "--help"], check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - started)
    report.promise("dbwatch --help, median", statistics.median(taken[1:]), HELP_LIMIT_SECONDS, "s")


def _start(server: Server) -> tuple[float, float, float]:
    """Seconds until the first page, of CPU until then, until the instance is on it."""
    with daemon.running({SMALL: names.instance(server, SMALL)}) as started:
        first = started.first_scrape_seconds
        return first, started.first_scrape_cpu_seconds, first + started.wait_until_up(1)


def report_start(report: Report, server: Server) -> None:
    """From the process's start to the first page, and to the first page with the instance on it."""
    first, cpu, up = [], [], []
    for _ in range(STARTS):
        started = steadily("a start", lambda: _start(server))
        first.append(started[0])
        cpu.append(started[1])
        up.append(started[2])
    report.promise(f"first scrape after start, worst of {STARTS}", max(first), FIRST_SCRAPE_LIMIT_SECONDS, "s")
    report.add(Row("CPU of a start until the first scrape, median", f"{statistics.median(cpu):.2f} s"))
    report.add(Row(f"the instance is up on the page, worst of {STARTS}", f"{max(up):.2f} s"))


def _scraped_for(running: daemon.Daemon, seconds: float) -> bytes:
    """Scrape every 5 s, as a Prometheus pair would; the last page."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        page = running.client.get().body
        time.sleep(5)
    return page


def _settled(running: daemon.Daemon) -> tuple[float, int]:
    """Resident KiB and samples after a while."""
    page = _scraped_for(running, SETTLED_SECONDS)
    return proc.memory(running.pid).resident_bytes / proc.KIB, quantiles.samples(page)


def report_one(report: Report, server: Server) -> tuple[float, int]:
    with daemon.running({SMALL: names.instance(server, SMALL)}) as running:
        running.wait_until_up(1)
        resident, samples = _settled(running)
    report.promise("resident memory, one small instance", resident / 1024, MEMORY_LIMIT_MIB, "MiB")
    return resident, samples


def _report_growth(report: Report, one: tuple[float, int], many: tuple[float, int]) -> None:
    """Memory of each further instance, against what its series allow."""
    resident, series = ((after - before) / (MANY - 1) for before, after in zip(one, many, strict=True))
    limit = INSTANCE_KIB + SERIES_KIB * series
    report.promise(f"memory of a further instance ({series:.0f} series)", resident, round(limit), "KiB")


@dataclass(frozen=True, slots=True)
class Watched:
    """Two pages and the share of a core between them: the daemon's, its servers'."""

    before: bytes
    after: bytes
    ours: float
    theirs: float


def _watched(running: daemon.Daemon, estate: Sequence[Server]) -> Watched:
    before, used, started = running.client.get().body, _cpu_seconds(running, estate), time.monotonic()
    after = _scraped_for(running, MANY_SECONDS)
    seconds = time.monotonic() - started
    now = _cpu_seconds(running, estate)
    return Watched(before, after, (now[0] - used[0]) / seconds, (now[1] - used[1]) / seconds)


def report_many(report: Report, estate: Sequence[Server], one: tuple[float, int]) -> None:
    """200 instances on one core; the servers they point at have the other."""
    instances = {f"i{number:03}": names.instance(estate[number % len(estate)], SMALL) for number in range(MANY)}
    with daemon.running(instances, prefix=("taskset", "-c", "0")) as running:
        up = running.wait_until_up(MANY)
        watched = steadily(f"{MANY} instances", lambda: _watched(running, estate))
        resident = proc.memory(running.pid).resident_bytes / proc.KIB
    _report_growth(report, one, (resident, quantiles.samples(watched.after)))
    report.add(Row(f"{MANY} instances on one core: all up after", f"{up:.1f} s"))
    report.add(Row(f"{MANY} instances on one core: CPU (their servers')", f"{watched.ours:.0%} ({watched.theirs:.0%})"))
    _report_lateness(report, watched.before, watched.after)


def _cpu_seconds(running: daemon.Daemon, estate: Sequence[Server]) -> tuple[float, float]:
    return proc.cpu_seconds(running.pid), sum(server.cpu_seconds() for server in estate)


def _report_lateness(report: Report, before: bytes, after: bytes) -> None:
    counts = quantiles.between(quantiles.buckets(before, names.LATENESS), quantiles.buckets(after, names.LATENESS))
    usual, worst = (quantiles.histogram_quantile(counts, share) for share in (0.99, 1.0))
    ever = max(quantiles.values(after, names.WORST_LATENESS), default=float("nan"))
    what = f"{MANY} instances on one core: lateness of a poll"
    report.add(Row(f"{what}, p99 (worst, the start included)", f"{usual:.3f} s ({ever:.1f} s)"))
    report.promise(f"{what}, worst once all are up (bucket's bound)", worst, LATENESS_LIMIT_SECONDS, "s")


def run(report: Report, *, many: bool) -> None:
    report_help(report)
    copies = range(SERVERS - 1, -1, -1) if many else [0]  # the original last: a running one cannot be copied
    with ExitStack() as stack:
        estate = [stack.enter_context(servers.running(SMALL, fill_small, copy=number)) for number in copies]
        report_start(report, estate[-1])
        one = report_one(report, estate[-1])
        if many:
            report_many(report, estate, one)
