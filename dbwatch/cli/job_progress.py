"""A run as it goes on: a bar on a terminal, a line now and then elsewhere.

`follow` asks for its status (the JSON of `job_status`) until it is over.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, Self

from dbwatch.cli.reaching import mapping, number, text
from dbwatch.core.showing import humanise
from dbwatch.core.showing.tables import printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    Status = Mapping[str, object]

ASK_SECONDS = 0.3
LINE_SECONDS = 10.0
RUNNING = "running"


class Display(Protocol):
    """Where a run is shown."""

    def show(self, status: Status) -> None: ...


def display() -> AbstractContextManager[Display]:
    """What suits standard output."""
    return Bar() if sys.stdout.isatty() else Lines()


async def follow(ask: Callable[[], Awaitable[Status]], shown: Display) -> Status:
    """Until it is over: its last status."""
    while True:
        status = await ask()
        shown.show(status)
        if text(status, "state") != RUNNING:
            return status
        await asyncio.sleep(ASK_SECONDS)


class Lines(AbstractContextManager["Lines"]):
    """Each phase as it begins, and how far it is every few seconds."""

    def __init__(self, write: Callable[[str], None] | None = None) -> None:
        self._write = write or _printed
        self._phase = ""
        self._said_seconds = 0.0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def show(self, status: Status) -> None:
        phase, elapsed = printable(text(status, "phase")), number(status, "elapsed_seconds") or 0.0
        is_new = phase != self._phase
        if text(status, "state") != RUNNING or not (is_new or elapsed - self._said_seconds >= LINE_SECONDS):
            return
        self._phase, self._said_seconds = phase, elapsed
        far = "" if is_new else how_far(status)
        self._write(f"{phase}: {far}" if far else f"{phase} ...")


class Bar(AbstractContextManager["Bar"]):
    """Bytes, tables and the time that is left, in one line that stays."""

    def __init__(self) -> None:
        self._bars: Bars | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        columns = (SpinnerColumn(), TextColumn("{task.description:<11}"), BarColumn(), TextColumn("{task.fields[far]}"))
        self._bars = Progress(*columns, transient=True)
        self._task = self._bars.add_task("", total=None, far="")
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def show(self, status: Status) -> None:
        if self._bars is None or self._task is None:
            return
        share, phase = ratio(status), printable(text(status, "phase"))
        # No total means that it is not known, and the bar moves to and fro: `update` cannot take one away.
        self._bars.tasks[0].total = None if share is None else 1.0
        self._bars.update(self._task, completed=share or 0.0, description=phase, far=how_far(status))


def ratio(status: Status) -> float | None:
    """How much is done, between 0 and 1; None: nobody knows."""
    progress = mapping(status.get("progress"))
    for done, expected in (("bytes_done", "bytes_expected"), ("tables_done", "tables_expected")):
        part, whole = number(progress, done), number(progress, expected)
        if part is not None and whole:
            return min(part / whole, 1.0)
    return None


def how_far(status: Status) -> str:
    """`1.2 GiB of about 3.4 GiB, 12 of 40 tables, 1 min 5 s, about 2 min left`."""
    progress = mapping(status.get("progress"))
    parts = [_bytes(progress), _tables(progress), _elapsed(status), _left(progress), _blocked(progress)]
    return ", ".join(filter(None, parts))


def _bytes(progress: Status) -> str:
    done, expected = number(progress, "bytes_done"), number(progress, "bytes_expected")
    if not done:
        return ""
    return f"{humanise.size(done)} of about {humanise.size(expected)}" if expected else humanise.size(done)


def _tables(progress: Status) -> str:
    done, expected = number(progress, "tables_done"), number(progress, "tables_expected")
    if done is None:
        return ""
    return f"{done:.0f} of {expected:.0f} tables" if expected else f"{done:.0f} tables"


def _elapsed(status: Status) -> str:
    seconds = number(status, "elapsed_seconds")
    return humanise.duration(round(seconds)) if seconds and seconds >= 1 else ""


def _left(progress: Status) -> str:
    seconds = number(progress, "seconds_left")
    return "" if seconds is None else f"about {humanise.duration(max(round(seconds), 1))} left"


def _blocked(progress: Status) -> str:
    sessions = number(progress, "blocked_sessions")
    return f"{sessions:.0f} sessions wait for it" if sessions else ""


def _printed(line: str) -> None:
    print(line, flush=True)
