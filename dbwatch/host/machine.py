"""One look at this machine for one server: rows, as if the server itself had answered them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil

from dbwatch.core.model import Answer, Rows
from dbwatch.errors import EngineError, Reason
from dbwatch.host import server_log
from dbwatch.host.errands import sent
from dbwatch.host.places import Room, room
from dbwatch.host.processes import Usage, usage
from dbwatch.host.server_log import ServerLog
from dbwatch.host.told import Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbwatch.host.places import Place

    Row = Mapping[str, object]
    Looking = asyncio.Future[Room | OSError]

# What a head of `source: host` may name.
COLUMNS = (
    *("purpose", "mount", "size_bytes", "free_bytes", "free_inodes"),
    *("process_cpu_seconds", "process_resident_bytes"),
    *("state", "memory_bytes", "swap_bytes", "mode", "cpu_seconds", "cpus", "window", "load"),
    *server_log.COLUMNS,
)
MODES = ("user", "system", "iowait", "idle", "steal")
WINDOWS = ("1m", "5m", "15m")


class Machine:
    """Remembers what still hangs, and how far the processor time had come: a counter never falls."""

    def __init__(self) -> None:
        self._looking: dict[Place, Looking] = {}
        self._spent: tuple[tuple[int, float], float] = ((0, 0.0), 0.0)
        self._log = ServerLog()

    async def look(self, answer: Rows, seconds: float) -> Answer:
        """Everything that is seen in time: its log where the server tells of that, else the machine. Raise EngineError
        where the server's own process is not seen here: then neither its files nor this machine's load are its own.
        """
        told = Told.of(answer)
        if told.fact("log_destination"):
            counted, note = await self._log.look(told, seconds)
            return Answer(_as_rows(counted), note)
        server = sent("dbwatch-processes", partial(usage, told))
        rooms = {place: self._look_at(place) for place in told.places}
        awaited: list[asyncio.Future[Any]] = [server, *rooms.values()]
        await asyncio.wait(awaited, timeout=seconds)
        if not server.done():
            raise EngineError(Reason.TIMEOUT, f"the processes of this machine: no answer within {seconds:g} s")
        found = server.result()
        if isinstance(found, EngineError):
            raise found
        done = {place: looking.result() for place, looking in rooms.items() if looking.done()}
        rows = [self._process(found), *host(), *_rooms(done)]
        return Answer(_as_rows(rows), "; ".join(_notes(done)), _error([place for place in rooms if place not in done]))

    def _look_at(self, place: Place) -> Looking:
        """One thread a place at most: while the last one hangs, no other is sent after it."""
        before = self._looking.get(place)
        if before is None or before.done():
            self._looking[place] = sent("dbwatch-disk", partial(room, place))
        return self._looking[place]

    def _process(self, found: Usage) -> Row:
        key, most = self._spent
        total = max(found.cpu_seconds, most) if key == found.key else found.cpu_seconds
        self._spent = (found.key, total)
        return {"process_cpu_seconds": total, "process_resident_bytes": found.resident_bytes}


def host() -> Iterator[Row]:
    """The machine as a whole: read from the kernel's memory, so that it never hangs."""
    memory, swap, spent = psutil.virtual_memory(), psutil.swap_memory(), psutil.cpu_times()
    yield {"state": "total", "memory_bytes": memory.total, "swap_bytes": swap.total}
    yield {"state": "available", "memory_bytes": memory.available}
    yield {"state": "free", "swap_bytes": swap.free}
    # As the kernel splits them: nice is the users', interrupts are the system's.
    seconds = {"user": spent.user + spent.nice, "system": spent.system + spent.irq + spent.softirq}
    for mode in MODES:
        yield {"mode": mode, "cpu_seconds": seconds.get(mode, getattr(spent, mode))}
    yield {"cpus": psutil.cpu_count()}
    for window, load in zip(WINDOWS, psutil.getloadavg(), strict=True):
        yield {"window": window, "load": load}


def _rooms(done: Mapping[Place, Room | OSError]) -> Iterator[Row]:
    """Two tablespaces on one file system are one room."""
    seen = {(each.mount, each.purpose): each for each in done.values() if isinstance(each, Room)}
    for each in seen.values():
        yield {
            "purpose": each.purpose,
            "mount": each.mount,
            "size_bytes": each.size_bytes,
            "free_bytes": each.free_bytes,
            "free_inodes": each.free_inodes,
        }


def _notes(done: Mapping[Place, Room | OSError]) -> Iterator[str]:
    for place, seen in done.items():
        if isinstance(seen, PermissionError):
            yield f"{place.purpose}: the account of dbwatch may not look into {place.path}"
        elif isinstance(seen, OSError):
            yield f"{place.purpose}: {place.path}: {seen.strerror}"


def _error(hanging: list[Place]) -> EngineError | None:
    if not hanging:
        return None
    paths = ", ".join(f"{place.path} ({place.purpose})" for place in hanging)
    return EngineError(Reason.TIMEOUT, f"no answer from the file system of {paths}", "Does a network mount hang?")


def _as_rows(rows: list[Row]) -> Rows:
    return Rows(COLUMNS, tuple([row.get(name) for row in rows] for name in COLUMNS))
