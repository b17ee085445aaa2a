"""What the kernel says of a process: CPU and memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
KIB = 1024
MIB = 1024 * KIB
# Fields of /proc/PID/stat, counted after the command's closing parenthesis.
USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM = 11, 12, 13, 14


def _ticks(pid: int, *fields: int) -> float:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it ended: its parent has its CPU now
        return 0.0
    return sum(int(words[field]) for field in fields) / TICKS_PER_SECOND


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process."""
    return _ticks(pid, USER, SYSTEM)


def children(pid: int) -> list[int]:
    """The live children of a process, whichever of its threads forked them."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def tree_cpu_seconds(pid: int) -> float:
    """A postmaster's whole cost: itself (it forks each login), what ended below it, what lives below it."""
    live = sum(cpu_seconds(child) for child in children(pid))
    return live + _ticks(pid, USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM)


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a process: now, at its highest, and its proportional share."""

    resident_bytes: int
    highest_bytes: int
    proportional_bytes: int


def _kib_fields(file: Path) -> dict[str, int]:
    lines = (line.split() for line in file.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) == 3 and words[2] == "kB"}


def memory(pid: int) -> Memory:
    status = _kib_fields(Path(f"/proc/{pid}/status"))
    rollup = _kib_fields(Path(f"/proc/{pid}/smaps_rollup"))
    return Memory(status["VmRSS"] * KIB, status["VmHWM"] * KIB, rollup["Pss"] * KIB)


@dataclass(frozen=True, slots=True)
class MachineCpu:
    """Ticks since boot: all, those that somebody here used, and those that the host gave to others meanwhile."""

    total: int
    used: int
    stolen: int


def machine_cpu() -> MachineCpu:
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = ticks
    return MachineCpu(sum(ticks), user + nice + system + interrupts + soft_interrupts, stolen)


def stolen_share(before: MachineCpu, after: MachineCpu) -> float:
    """Between two readings, of all the time there was."""
    return (after.stolen - before.stolen) / max(1, after.total - before.total)


def kept_share(before: MachineCpu, after: MachineCpu) -> float:
    """Between two readings, of the time that somebody here wanted."""
    stolen = after.stolen - before.stolen
    return stolen / max(1, after.used - before.used + stolen)
