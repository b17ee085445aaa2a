"""The processes of this machine as /proc shows them: who descends from whom, what they used, whose mark they carry."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

ROOT = Path("/proc")
MARK = "DBWATCH_JOB"  # in the environment of every process that a job starts, and so of all that these start
ZOMBIE = "Z"


@dataclass(frozen=True, slots=True)
class Process:
    """One process. `started_ticks` since the boot: with the pid it names a process as nothing else ever will."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    cpu_ticks: int  # of it and of the children it waited for
    started_ticks: int


def read(pid: int) -> Process | None:
    """None where it has ended."""
    try:
        text = (ROOT / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return parsed(pid, text)


def parsed(pid: int, text: str) -> Process:
    """The name of a program may hold anything, parentheses and blanks too: count from its end."""
    words = text[text.rindex(")") + 2 :].split()
    cpu = sum(map(int, words[11:15]))
    return Process(pid, words[0], int(words[1]), int(words[2]), int(words[3]), cpu, int(words[19]))


def table() -> dict[int, Process]:
    """Every process that can be seen, by pid."""
    found = (read(pid) for pid in _pids())
    return {each.pid: each for each in found if each is not None}


def _pids() -> Iterator[int]:
    yield from (int(each.name) for each in ROOT.iterdir() if each.name.isdigit())


def family(roots: Collection[int], processes: Mapping[int, Process]) -> set[int]:
    """The roots that live, what descends from them, and what shares a session with them (its parent may be gone)."""
    children: dict[int, list[int]] = {}
    for each in processes.values():
        children.setdefault(each.parent, []).append(each.pid)
    found: set[int] = set()
    waiting = [each.pid for each in processes.values() if each.pid in roots or each.session in roots]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, ())
    return found


def cpu_ticks(roots: Collection[int]) -> int:
    """What the family of these used so far, as far as it lives."""
    processes = table()
    return sum(processes[pid].cpu_ticks for pid in family(roots, processes))


def token(pid: int) -> str:
    """The mark in its environment; '': it has none, or may not be looked at, or wrote over it (PostgreSQL does)."""
    try:
        content = (ROOT / str(pid) / "environ").read_bytes()
    except OSError:
        return ""
    prefix = f"{MARK}=".encode()
    values = (word.removeprefix(prefix) for word in content.split(b"\0") if word.startswith(prefix))
    return next(values, b"").decode(errors="replace")


def working_directory(pid: int) -> Path | None:
    with suppress(OSError):
        return (ROOT / str(pid) / "cwd").readlink()
    return None


def boot_id() -> str:
    """Ticks count from the boot: after another one they mean another process."""
    with suppress(OSError):
        return (ROOT / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""
