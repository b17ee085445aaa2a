"""What the control socket can do with jobs and backups; the command line runs the same where no daemon does.

A run takes long: `backup_start` answers at once, `job_status` is asked again and again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from dbwatch.core.backups import retention, standing
from dbwatch.core.backups.model import DISPROOFS
from dbwatch.errors import JobError, UsageError
from dbwatch.jobs import drill_commands
from dbwatch.jobs.drill_commands import DrillOffice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from dbwatch.core.backups.model import BackupKind, BackupRecord, JobKind, JobRun
    from dbwatch.core.backups.retention import Plan
    from dbwatch.jobs.running import Run

    Command = Callable[[dict[str, object]], Awaitable[object]]

T = TypeVar("T")
LONGEST_TEXT = 200
SHORTEST_PART = 4


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job: what there is of it, whether it ever ran or not."""

    kind: JobKind
    instance: str
    schedule: str = ""
    timezone: str = ""
    last: JobRun | None = None
    next_at: float | None = None
    running: Run | None = None


@dataclass(frozen=True, slots=True)
class Binned:
    """A set in the trash; `until` when it is deleted for good, None where nobody does that any more."""

    instance: str
    kind: BackupKind
    id: str
    trashed_at: float
    until: float | None = None


class Office(DrillOffice, Protocol):
    """Who is asked."""

    @property
    def runs(self) -> Mapping[str, Run]: ...

    async def started(self) -> None: ...

    def start_backup(self, instance: str, asked_by: str) -> Run: ...

    def start_verification(self, backup_id: str, asked_by: str) -> Run: ...

    def cancel(self, run_id: str, who: str) -> bool: ...

    async def jobs(self) -> list[JobLine]: ...

    async def run_of(self, run_id: str) -> JobRun | None: ...

    async def records(self, instance: str = "") -> list[BackupRecord]: ...

    async def looked_at(self, instance: str = "") -> list[BackupRecord]: ...

    async def rescan(self, instance: str = "") -> list[str]: ...

    async def retention(self, instance: str = "", *, dry_run: bool) -> list[tuple[str, Plan]]: ...

    async def trust_clock(self) -> float: ...

    async def pin(self, backup_id: str, *, pinned: bool, who: str) -> BackupRecord: ...

    async def trashed(self) -> Sequence[Binned]: ...


def commands(office: Callable[[], Office]) -> Mapping[str, Command]:
    """The handlers by name: JSON in, JSON out. They raise UsageError for what cannot be, JobError for what may not."""
    return {**_job_commands(office), **_backup_commands(office), **drill_commands.commands(office, shown)}


def _job_commands(office: Callable[[], Office]) -> Mapping[str, Command]:
    async def start(arguments: dict[str, object]) -> object:
        await office().started()
        return shown(office().start_backup(text(arguments, "instance"), text(arguments, "who")))

    async def status(arguments: dict[str, object]) -> object:
        return await _status(office(), text(arguments, "id"))

    async def cancel(arguments: dict[str, object]) -> object:
        asked = text(arguments, "id")
        run = _run_named(office().runs, asked)
        if run is None or not office().cancel(run.id, text(arguments, "who")):
            raise UsageError(f"no job {asked!r} is under way -> see `dbwatch jobs`")
        return shown(run)

    async def listed(_arguments: dict[str, object]) -> object:
        return [_job(line) for line in await office().jobs()]

    return {"backup_start": start, "job_status": status, "job_cancel": cancel, "jobs_list": listed}


def _backup_commands(office: Callable[[], Office]) -> Mapping[str, Command]:
    async def listed(arguments: dict[str, object]) -> object:
        return [backup(record) for record in await office().looked_at(text(arguments, "instance"))]

    async def verify(arguments: dict[str, object]) -> object:
        await office().started()
        return shown(office().start_verification(text(arguments, "id"), text(arguments, "who")))

    async def rescan(arguments: dict[str, object]) -> object:
        return {"differences": await office().rescan(text(arguments, "instance"))}

    async def retain(arguments: dict[str, object]) -> object:
        name, dry_run = text(arguments, "instance"), arguments.get("dry_run")
        if not isinstance(dry_run, bool):
            raise UsageError("dry_run is true or false")
        return [_retained(instance, plan) for instance, plan in await office().retention(name, dry_run=dry_run)]

    async def trust_clock(_arguments: dict[str, object]) -> object:
        return {"time": await office().trust_clock()}

    async def pin(arguments: dict[str, object]) -> object:
        pinned = arguments.get("pinned")
        if not isinstance(pinned, bool):
            raise UsageError("pinned is true or false")
        return backup(await office().pin(text(arguments, "id"), pinned=pinned, who=text(arguments, "who")))

    async def trashed(_arguments: dict[str, object]) -> object:
        return await _trash(office())

    return {
        "backup_list": listed,
        "backup_verify": verify,
        "backup_rescan": rescan,
        "backup_retention": retain,
        "backup_pin": pin,
        "backup_trash": trashed,
        "backup_trust_clock": trust_clock,
    }


async def _trash(office: Office) -> object:
    """Sets are listed with it: these are told whatever becomes of the trash."""
    try:
        return {"sets": [asdict(each) for each in await office.trashed()], "problem": ""}
    except JobError as error:
        return {"sets": [], "problem": error.message}


async def _status(office: Office, asked: str) -> object:
    run = _run_named(office.runs, asked)
    if run is not None:
        return shown(run)
    record = await office.run_of(asked)
    if record is None:
        raise UsageError(f"no job {asked!r} is known -> see `dbwatch jobs`")
    return _record(record)


def _run_named(runs: Mapping[str, Run], asked: str) -> Run | None:
    """In full, or by a beginning or an end that only one has."""
    if asked in runs:
        return runs[asked]
    found = [name for name in runs if name.startswith(asked) or name.endswith(asked)]
    return runs[found[0]] if len(found) == 1 and len(asked) >= SHORTEST_PART else None


def text(arguments: Mapping[str, object], name: str) -> str:
    """A short text, or nothing. Raise UsageError for anything else."""
    value = arguments.get(name) or ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise UsageError(f"{name} is a text of at most {LONGEST_TEXT} characters")
    return value


# --- as JSON ---


def shown(run: Run) -> dict[str, object]:
    """A run as it is now."""
    live = {"elapsed_seconds": run.seconds, "cpu_seconds": run.cpu_seconds, "progress": asdict(run.progress)}
    return {**_record(run.record), **live}


def _record(record: JobRun) -> dict[str, object]:
    return {**asdict(record), "phases": [list(each) for each in record.phases]}


def _job(line: JobLine) -> dict[str, object]:
    return {
        "kind": line.kind,
        "instance": line.instance,
        "schedule": line.schedule,
        "timezone": line.timezone,
        "next_at": line.next_at,
        "last": None if line.last is None else _record(line.last),
        "running": None if line.running is None else shown(line.running),
    }


def backup(record: BackupRecord) -> dict[str, object]:
    """A set, with the best that is proven of it, or why it is bad."""
    manifest, problem = record.manifest, standing.badness(record)
    proof = None if problem else record.proof
    return {
        "id": record.id,
        "instance": manifest.instance,
        "kind": manifest.kind,
        "engine": manifest.engine,
        "server": manifest.server.version_text,
        "started_at": manifest.started_at,
        "seconds": manifest.seconds,
        "size_bytes": manifest.size_bytes,
        "plain_bytes": manifest.plain_bytes,
        "databases": [database.name for database in manifest.facts.databases],
        "proof": proof.name if proof is not None else None,
        "proven_at": proof.at if proof is not None else None,
        "pinned": record.pinned,
        "bad": bool(problem),
        "problem": problem,
        "not_proven": _not_proven(record),
        "warnings": [*manifest.warnings, *_unproven(record)],
    }


def _unproven(record: BackupRecord) -> list[str]:
    """Why it is not proven further: of each step the last word. What speaks against the set is told as its problem."""
    last = {proof.name: proof for proof in record.proofs if proof.reason not in DISPROOFS}
    return [f"{standing.failure(proof)}: {proof.detail}" for proof in last.values() if not proof.holds]


def _not_proven(record: BackupRecord) -> str:
    """Why the last step that was tried proved nothing; '': it did, or none was tried since."""
    last = record.proofs[-1] if record.proofs else None
    return "" if last is None or last.holds else f"{standing.failure(last)}: {last.detail}"


def _retained(instance: str, plan: Plan) -> dict[str, object]:
    return {
        "instance": instance,
        "timezone": plan.policy.timezone,
        "decisions": [line._asdict() for line in retention.lines(plan)],
        "frozen": [asdict(each) for each in plan.frozen],
    }
