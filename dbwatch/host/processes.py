"""Which processes of this machine are the server's: proven, or nobody's. Somebody else's numbers would be a lie."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dbwatch.host.told import Told

# The kernel tells the second of the boot only, and a server notes its start a moment after it.
TOLERANCE_SECONDS = 5.0
ATTEMPTS = 5
ENDED = "the server's process ended, or is hidden from us"
REMEDY = (
    "`host: local` is for a server beside dbwatch, seen by it as by everybody (no container, no hidepid). "
    "`collectors: {host: {enabled: false}}` switches this off."
)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server's processes use together; `key` names their root as nothing else ever will."""

    key: tuple[int, float]
    cpu_seconds: float
    resident_bytes: int


def usage(told: Told) -> Usage | EngineError:
    """Find the server, then add up. The error is a result: it is told, not raised."""
    try:
        root = server(told)
        return Usage((root.pid, root.create_time()), cpu_seconds(root), resident_bytes(family(root)))
    except EngineError as error:
        return error
    except psutil.Error:
        return not_here(ENDED)


def proven(told: Told) -> EngineError | None:
    """None where the server is on this machine. The error is a result: it is told, not raised."""
    try:
        server(told)
    except EngineError as error:
        return error
    except psutil.Error:
        return not_here(ENDED)
    return None


def not_here(why: str) -> EngineError:
    return EngineError(Reason.MISSING, why, REMEDY)


def server(told: Told) -> psutil.Process:
    """The first process of the server. Raise EngineError where that is in doubt."""
    backend = told.fact("backend_pid")
    return _parent_of(int(backend), told.started_at) if backend else _started_then(told)


def _parent_of(pid: int, started_at: float) -> psutil.Process:
    """The server told the pid of our own session: such a process must be here, have begun with the session, and be a
    child of its like.
    """
    with suppress(psutil.Error):
        session = psutil.Process(pid)
        parent = session.parent()
        if parent is not None and parent.name() == session.name() and _is_of(session, started_at):
            return parent
    raise not_here(f"the process of our session ({pid}) is not on this machine")


def _started_then(told: Told) -> psutil.Process:
    """One process of the server's name that began when the server says it did; its pid file tells twins apart."""
    names = told.facts("program")
    pid_file = told.path("pid_file")
    pid = _pid_in(pid_file)
    candidates = _of_pid(pid) if pid is not None else [one for one in psutil.process_iter() if _has_name(one, names)]
    found = [one for one in candidates if _is_of(one, told.started_at)]
    if not found:
        raise not_here(f"no {' or '.join(names)} of this machine began when this server did")
    if len(found) > 1:
        why = f"{len(found)} servers of this machine began when this one did, and {pid_file} cannot be read"
        raise EngineError(Reason.MISSING, why, "Let the account of dbwatch read the pid file.")
    return found[0]


def _pid_in(path: Path | None) -> int | None:
    try:
        return int(path.read_text(encoding="ascii")) if path else None
    except (OSError, ValueError):
        return None


def _of_pid(pid: int) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return [psutil.Process(pid)]
    return []


def _has_name(process: psutil.Process, names: tuple[str, ...]) -> bool:
    with suppress(psutil.Error):
        return process.name() in names
    return False


def _is_of(process: psutil.Process, started_at: float) -> bool:
    with suppress(psutil.Error):
        return abs(process.create_time() - started_at) <= TOLERANCE_SECONDS
    return False


def family(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def cpu_seconds(root: psutil.Process) -> float:
    """User and system time of the whole family, of those that ended included: their parent has inherited it.

    Read again where somebody ended in between, lest his time be counted twice or not at all.
    """
    total = 0.0
    for _ in range(ATTEMPTS):
        before = _inherited(root)
        total = sum(map(_spent, family(root)))
        if _inherited(root) == before:
            break
    return total


def _inherited(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.children_user + times.children_system)


def _spent(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def resident_bytes(processes: Iterable[psutil.Process]) -> int:
    """What each has for itself, and once what they share: a server's buffers are in every one of its processes."""
    own, shared = 0, 0
    for process in processes:
        with suppress(psutil.Error):
            memory = process.memory_info()
            own += max(0, memory.rss - memory.shared)
            shared = max(shared, memory.shared)
    return own + shared
