"""Against the peer on one server: CPU per sample, backend CPU, memory."""

from __future__ import annotations

import functools
import operator
import statistics
from typing import TYPE_CHECKING

from benchmarks import idle, pair, proc, quantiles
from benchmarks.names import LAG
from benchmarks.pair import OURS, PEER, Usage
from benchmarks.steady import steadily
from benchmarks.table import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.daemon import Daemon
    from benchmarks.idle import Idle
    from benchmarks.pair import Pair
    from benchmarks.scrape import Reply
    from benchmarks.table import Report

LAG_LIMIT_MILLISECONDS = 20.0
MEMORY_LIMIT_MIB = 240.0

Rounds = list[dict[str, Usage]]
_per_sample = operator.attrgetter("microseconds_per_sample")
_backend = operator.attrgetter("backend_seconds_per_minute")


def _figures(rounds: Rounds, side: str) -> tuple[str, ...]:
    """What one side's column says: CPU per sample, backend CPU, logins, samples."""
    if side not in rounds[0]:
        return ("", "", "", "")
    median = functools.partial(pair.median, rounds, side)
    page = rounds[-1][side].replies[-1]
    return (
        f"{median(_per_sample):.2f} µs",
        f"{median(_backend):.2f} s/min",
        f"{median(operator.attrgetter('logins')):.0f}",
        f"{page.samples:,} in {page.wire_bytes / 1000:,.0f} kB",
    )


def _goal(rounds: Rounds, figure: operator.attrgetter[float], factor: float | None) -> tuple[str, bool | None]:
    """How many times less than the peer, against how many were promised."""
    if OURS not in rounds[0]:
        return "", None
    times = pair.ratio(rounds, figure)
    if factor is None:
        return f"({times:.1f} times less)", None
    return f"≥ {factor:g} times less ({times:.1f})", times >= factor


def report_rounds(report: Report, name: str, rounds: Rounds, *, cpu_goal: float | None, backend_goal: float) -> None:
    """The goals are how many times less than the peer."""
    ours, theirs = _figures(rounds, OURS), _figures(rounds, PEER)
    cpu = _goal(rounds, _per_sample, cpu_goal)
    backend = _goal(rounds, _backend, backend_goal)
    report.add(Row(f"{name}: CPU per exposed sample", ours[0], theirs[0], *cpu))
    report.add(Row(f"{name}: backend CPU, scraped every 15 s", ours[1], theirs[1], *backend))
    report.add(Row(f"{name}: logins a minute", ours[2], theirs[2]))
    report.add(Row(f"{name}: samples of a page, gzip", ours[3], theirs[3]))


def report_memory(report: Report, name: str, running: Pair, *, limit_mib: float | None) -> None:
    theirs = _memory(running.peer.pid)
    if running.ours is None:
        report.add(Row(f"{name}: resident memory", "", theirs))
        return
    resident = proc.memory(running.ours.pid).resident_bytes / proc.MIB
    goal, met = ("", None) if limit_mib is None else (f"≤ {limit_mib:g} MiB", resident <= limit_mib)
    report.add(Row(f"{name}: resident memory", _memory(running.ours.pid), theirs, goal, met))


def _memory(pid: int) -> str:
    used = proc.memory(pid)
    return f"{used.resident_bytes / proc.MIB:.0f} MiB (peak {used.highest_bytes / proc.MIB:.0f})"


class LagWatch:
    """The event loop's lag, minute by minute, from the daemon's own histogram; an idle process's beside it."""

    def __init__(self, ours: Daemon | None, idle: Idle) -> None:
        self._ours, self._idle = ours, idle
        self._before = self._buckets()
        self._milliseconds: list[float] = []
        self._idle_milliseconds: list[float] = []

    def _buckets(self) -> dict[float, float]:
        return quantiles.buckets(self._ours.client.get().body, LAG) if self._ours else {}

    def minute(self) -> tuple[float, float]:
        """One more minute is over: the daemon's lag in it and the idle process's, in milliseconds."""
        after = self._buckets()
        ours = quantiles.histogram_quantile(quantiles.between(self._before, after), 0.99) * 1000
        self._before = after
        return ours, self._idle.milliseconds_late()

    def note(self, minute: tuple[float, float]) -> None:
        """It counts."""
        self._milliseconds.append(minute[0])
        self._idle_milliseconds.append(minute[1])

    def report(self, report: Report, name: str) -> None:
        """The median, as for CPU: one minute in which the host took a core away is not ours."""
        told = ", ".join(f"{lag:.1f}" for lag in self._milliseconds)
        what = f"{name}: event-loop lag p99 of a minute while polled (each: {told})"
        report.promise(what, statistics.median(self._milliseconds), LAG_LIMIT_MILLISECONDS, "ms")
        told = ", ".join(f"{late:.1f}" for late in self._idle_milliseconds)
        report.add(
            Row(
                f"(for scale) an idle process is woken up late, p99 of those minutes (each: {told})",
                _middle(self._idle_milliseconds),
            )
        )


def _middle(milliseconds: Sequence[float]) -> str:
    return f"{statistics.median(milliseconds):.3g} ms"


def latencies(replies: Sequence[Reply]) -> str:
    seconds = [reply.seconds for reply in replies]
    return f"{quantiles.quantile(seconds, 0.5):.2f} s, worst {max(seconds):.2f} s"


def measured_rounds(report: Report, name: str, running: Pair, count: int) -> tuple[Rounds, LagWatch]:
    """Some minutes of both sides, told as they end."""
    rounds = []
    with idle.beside() as control:
        lag = LagWatch(running.ours, control)

        def minute() -> tuple[dict[str, Usage], tuple[float, float]]:
            lag.minute()  # what was before, a rest perhaps, does not count
            return pair.one_round(running.sides), lag.minute()

        for number in range(1, count + 1):
            usage, late = steadily(f"{name}, minute {number}", minute)
            rounds.append(usage)
            lag.note(late)
            told = {side: f"{_per_sample(usage):.2f} µs, {_backend(usage):.2f} s" for side, usage in rounds[-1].items()}
            print(f"  {name}, minute {number}: {told}", flush=True)
    report.add(Row(f"{name}: the peer's scrape", "", latencies([r for u in rounds for r in u[PEER].replies])))
    return rounds, lag
