"""Processes of jobs whose daemon died: found again, proven to be ours, and ended. Never anybody else's."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from dbwatch.jobs import proc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from dbwatch.jobs.proc import Process

    Chooser = Callable[[Mapping[int, Process]], set[int]]

log = structlog.get_logger()
GRACE_SECONDS = 3.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Mark:
    """A process that a run started, as the journal keeps it. It leads a session and a group of the same number."""

    token: str  # the run's id
    pid: int
    started_ticks: int
    boot_id: str
    program: str


def mark(token: str, pid: int, program: str) -> Mark | None:
    """None where it has ended already."""
    found = proc.read(pid)
    return None if found is None else Mark(token, pid, found.started_ticks, proc.boot_id(), program)


async def sweep(marks: Iterable[Mark], tokens: Iterable[str] = ()) -> list[int]:
    """End what these runs left behind: the pids. Their ids alone find what the journal never heard of."""
    noted, wanted = list(marks), set(tokens)
    wanted |= {each.token for each in noted}
    wanted.discard("")
    if not wanted:
        return []
    return await _ended(lambda processes: left_behind(noted, wanted, processes, proc.token, proc.boot_id()))


async def sweep_directory(directory: Path) -> list[int]:
    """End what works in this directory of ours: servers that wrote over their environment."""

    def chosen(processes: Mapping[int, Process]) -> set[int]:
        places = {pid: proc.working_directory(pid) for pid in processes}
        return {pid for pid, place in places.items() if place is not None and place.is_relative_to(directory)}

    return await _ended(chosen)


def left_behind(
    marks: Iterable[Mark],
    tokens: set[str],
    processes: Mapping[int, Process],
    token_of: Callable[[int], str],
    boot_id: str,
) -> set[int]:
    """Pure: those that carry the mark of a run, and noted ones that are still the same process, with their families.

    A number that was given to somebody else has another time of start, and no mark of ours.
    """
    marked = {pid for pid in processes if token_of(pid) in tokens}
    same = {each.pid for each in marks if _is_same(each, processes.get(each.pid), boot_id)}
    return marked | proc.family(same, processes)


def _is_same(noted: Mark, process: Process | None, boot_id: str) -> bool:
    return process is not None and noted.boot_id == boot_id and noted.started_ticks == process.started_ticks


async def _ended(choose: Chooser) -> list[int]:
    """Ask, then kill, until none is left: who is being ended may still start another."""
    loop = asyncio.get_running_loop()
    kill_at = loop.time() + GRACE_SECONDS
    asked: set[int] = set()
    while left := await asyncio.to_thread(_chosen, choose):
        is_late = loop.time() > kill_at
        for pid in left if is_late else left - asked:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL if is_late else signal.SIGTERM)
        asked |= left
        if loop.time() > kill_at + GRACE_SECONDS:
            log.warning("processes_left", pids=sorted(left))
            break
        await asyncio.sleep(LOOK_SECONDS)
    return sorted(asked)


def _chosen(choose: Chooser) -> set[int]:
    """Never ourselves, whatever we carry; a zombie has ended, and is its parent's."""
    processes = {pid: each for pid, each in proc.table().items() if each.state != proc.ZOMBIE}
    return choose(processes) - {os.getpid(), 1}
