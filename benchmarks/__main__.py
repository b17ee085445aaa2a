"""`make bench`: every promise of speed and memory, measured and told in one table."""

from __future__ import annotations

import argparse
import os
import sys

from benchmarks import (
    backup_data,
    daemon,
    data,
    pair,
    peer,
    proc,
    scenario_backup,
    scenario_latency,
    scenario_pair,
    scenario_small,
    steady,
)
from benchmarks.names import EVERY_SAMPLE
from benchmarks.paths import RESULTS_FILE
from benchmarks.table import Report, conditions, markdown, write

SCENARIOS = ("small", "many", "mid", "big")
BACKUP = "backup"  # by itself: it wants the whole machine


def big(report: Report, rounds: int) -> None:
    """10,000 tables, every one exposed."""
    with pair.running(data.BIG, data.fill_big, every_table=True) as running:
        _warm(running, EVERY_SAMPLE)
        measured, lag = scenario_pair.measured_rounds(report, data.BIG, running, rounds)
        scenario_pair.report_rounds(report, data.BIG, measured, cpu_goal=10.0, backend_goal=3.0)
        scenario_pair.report_memory(report, data.BIG, running, limit_mib=scenario_pair.MEMORY_LIMIT_MIB)
        if running.ours is not None:
            lag.report(report, data.BIG)
            scenario_latency.report_ours(report, running.ours, running.sides[0].server)
        scenario_latency.report_peer(report, running.peer, running.sides[-1].server)


def mid(report: Report, rounds: int) -> None:
    """200 tables and pgbench's, as most databases are: the whole catalogue at its default intervals."""
    with pair.running(data.MIDDLE, data.fill_middle, every_table=False) as running:
        _warm(running, 1)
        measured, lag = scenario_pair.measured_rounds(report, data.MIDDLE, running, rounds)
        scenario_pair.report_rounds(report, data.MIDDLE, measured, cpu_goal=None, backend_goal=1.0)
        scenario_pair.report_memory(report, data.MIDDLE, running, limit_mib=None)
        if running.ours is not None:
            lag.report(report, data.MIDDLE)


def _warm(running: pair.Pair, samples: int) -> None:
    """Let both pay for their first time before the clock runs."""
    running.peer.client.get()
    if running.ours is not None:
        running.ours.wait_until_up(1)
        running.ours.wait_until_samples(samples)


def _arguments() -> argparse.Namespace:
    told = (
        f"{BACKUP}, or some of {', '.join(SCENARIOS)}; by default all these, and then benchmarks/RESULTS.md is written"
    )
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, BACKUP, []], metavar="SCENARIO", help=told)
    parser.add_argument("--rounds", type=int, default=3, help="minutes of each pair (default: %(default)s)")
    size = "of the database that is dumped (default: %(default)s)"
    parser.add_argument("--megabytes", type=int, default=backup_data.MEGABYTES, help=size)
    return parser.parse_args()


def _run(report: Report, chosen: set[str], rounds: int) -> None:
    if chosen & {"small", "many"} and not daemon.missing():
        scenario_small.run(report, many="many" in chosen)
    if "mid" in chosen:
        mid(report, rounds)
    if "big" in chosen:
        big(report, rounds)


def backup(arguments: argparse.Namespace) -> int:
    """A table of its own, in the turns of a backup."""
    report = Report(notes=[*conditions(), f"{os.cpu_count()} cores; medians of {arguments.rounds} interleaved pairs."])
    load, cpu = os.getloadavg()[0], proc.machine_cpu()
    scenario_backup.run(report, rounds=arguments.rounds, megabytes=arguments.megabytes)
    report.notes.append(f"Load average of the machine before: {load:.1f}.")
    report.notes.append(f"The host kept {proc.stolen_share(cpu, proc.machine_cpu()):.1%} of the CPU time.")
    print(f"\n{markdown(report)}")
    return 0 if report.kept else 1


def main() -> int:
    arguments = _arguments()
    if arguments.scenarios == [BACKUP]:
        return backup(arguments)
    chosen = set(arguments.scenarios or SCENARIOS)
    report = Report(
        notes=[*conditions(), f"The peer is postgres_exporter {peer.version()}, its collectors as they come."]
    )
    report.notes.append(f"{os.cpu_count()} cores; medians of {arguments.rounds} interleaved minutes.")
    if reason := daemon.missing():
        report.notes.append(f"dbwatch was not measured: {reason}.")
    load, cpu = os.getloadavg()[0], proc.machine_cpu()
    _run(report, chosen, arguments.rounds)
    report.notes.append(f"Load average of the machine: {load:.1f} before, {os.getloadavg()[0]:.1f} after.")
    report.notes.append(
        f"The host kept {proc.stolen_share(cpu, proc.machine_cpu()):.1%} of the CPU time from this machine."
    )
    report.notes.append(steady.told())
    print(f"\n{markdown(report)}")
    if chosen == set(SCENARIOS):
        write(report, RESULTS_FILE)
    return 0 if report.kept else 1


if __name__ == "__main__":
    sys.exit(main())
