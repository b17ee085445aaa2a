"""What history tells of jobs beside the words of core, and runs as rows."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from dbwatch.core.backups.model import BackupKind, JobKind, JobReason, JobRun, JobState

if TYPE_CHECKING:
    from typing import Any

    from dbwatch.core.backups.drills import DrillResult

DAY_SECONDS = 86400.0
BACK_SECONDS, FORWARD_SECONDS = 3600.0, DAY_SECONDS  # what is no mere adjustment of the clock
REMEMBERED_SECONDS = 7 * DAY_SECONDS  # who has not accepted a jump by then has lived with it
NEW, GONE, EDITED = "was not in the index", "is gone", "its manifest was edited after it was published"


class Marked(Protocol):
    """A process of a run, such that another with its number is not taken for it."""

    @property
    def token(self) -> str:
        """The run's id."""

    @property
    def pid(self) -> int: ...

    @property
    def started_ticks(self) -> int: ...

    @property
    def boot_id(self) -> str: ...

    @property
    def program(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """As it was remembered."""

    token: str
    pid: int
    started_ticks: int
    boot_id: str
    program: str = ""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A run that was left by a dbwatch that died."""

    run: JobRun
    application: str = ""  # the name of its sessions on the server
    partial: str = ""  # the path of its unfinished set
    marks: tuple[ProcessMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What the index knew otherwise than the repository has it."""

    instance: str
    kind: BackupKind
    id: str
    what: str

    def __str__(self) -> str:
        return f"{self.instance} {self.id}: {self.what}"


@dataclass(frozen=True, slots=True)
class DrillKept:
    """A drill's result and where its report is."""

    result: DrillResult
    report: str = ""


@dataclass(frozen=True, slots=True)
class ClockSeen:
    """What the machine's clock did. Retention trusts no clock that jumped until somebody says that it is right."""

    seen_at: float = 0.0
    latest_at: float = 0.0  # the latest that it ever told
    jumped_at: float | None = None
    jump_seconds: float = 0.0  # negative: back; 0: somebody has said that it is right, then

    @property
    def is_accepted(self) -> bool:
        """Since it jumped last: what it told before, sets from the future among it, is known to be wrong."""
        return self.jumped_at is not None and not self.jump_seconds

    def went_back(self, now: float) -> bool:
        return now < self.latest_at - BACK_SECONDS


def seen(before: ClockSeen, now: float, elapsed_seconds: float | None) -> ClockSeen:
    """After a look at it; `elapsed_seconds` since the one before, None where another process took it."""
    if not before.seen_at:
        return ClockSeen(now, now)
    jump = now - before.seen_at - (elapsed_seconds or 0.0)
    if elapsed_seconds is None:
        jump = min(jump, 0.0)  # it was off for as long: only back is surely wrong
    after = replace(before, seen_at=now, latest_at=max(before.latest_at, now))
    if jump <= -BACK_SECONDS or jump >= FORWARD_SECONDS:
        return replace(after, jumped_at=now, jump_seconds=jump)
    if before.jump_seconds and now - (before.jumped_at or 0.0) >= REMEMBERED_SECONDS:
        return accepted(now)
    return after


def accepted(now: float) -> ClockSeen:
    return ClockSeen(now, now, now)


def run_row(run: JobRun) -> dict[str, object]:
    names = ("id", "kind", "instance", "state", "started_at", "ended_at", "seconds", "detail", "phase", "backup")
    return {
        **{name: getattr(run, name) for name in names},
        "asked_by": run.asked_by,
        "reason": run.reason or "",
        "phases": json.dumps(run.phases, separators=(",", ":")),
    }


def run_from(row: tuple[Any, ...]) -> JobRun:
    number, kind, instance, started_at, state, ended_at, seconds, reason, *texts, phases = row
    detail, phase, backup, asked_by = texts
    return JobRun(
        number,
        JobKind(kind),
        instance,
        started_at,
        JobState(state),
        ended_at,
        seconds,
        JobReason(reason) if reason else None,
        detail,
        phase,
        backup,
        asked_by,
        tuple((name, spent) for name, spent in json.loads(phases)),
    )
