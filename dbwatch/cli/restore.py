"""`restore`: a plan first, and nothing that is there is touched unless told.

It needs the repository and the target alone: no daemon, no history, not the instance that was lost.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch import engines, library
from dbwatch.archive.repository import Repository
from dbwatch.cli import restore_sets
from dbwatch.cli.backup import cancel_at_sigterm, set_lines
from dbwatch.cli.job_progress import display, follow
from dbwatch.cli.targets import named
from dbwatch.clock import SystemClock
from dbwatch.core.backups import restore_plans
from dbwatch.core.backups.model import JobKind
from dbwatch.core.backups.restore_plans import Danger
from dbwatch.core.showing import humanise
from dbwatch.core.showing.tables import printable
from dbwatch.engines.backing import Target
from dbwatch.errors import UsageError
from dbwatch.jobs import commands, restoring, restoring_scratch
from dbwatch.jobs.faults import only
from dbwatch.jobs.options import scratch_directory
from dbwatch.jobs.process import Care
from dbwatch.jobs.restoring import Source
from dbwatch.jobs.restoring_hand_over import written
from dbwatch.jobs.restoring_progress import shown as progress
from dbwatch.jobs.running import Job, Run
from dbwatch.jobs.scratch import Workshop
from dbwatch.settings.load import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.cli.restore_wish import Wish
    from dbwatch.core.backups.model import BackupRecord
    from dbwatch.core.backups.restore_plans import Part, RestorePlan
    from dbwatch.jobs.restoring_scratch import Staying
    from dbwatch.settings.models import Settings

INTERRUPTED = 130
PARALLEL = 2


def allowed(wish: Wish) -> frozenset[Danger]:
    """What somebody takes upon himself."""
    flags = {
        Danger.UNPROVEN: wish.unproven,
        Danger.SOURCE: wish.onto_source,
        Danger.NON_EMPTY: wish.into_non_empty,
    }
    return frozenset(danger for danger, is_allowed in flags.items() if is_allowed)


def listed(config: Path, instance: str, *, as_json: bool) -> list[str]:
    """The sets on the disk, the newest first: also of instances that are configured no more."""
    settings = load(config, os.environ)
    repository = Repository.configured(settings.backups)
    records = asyncio.run(restore_sets.on_disk(repository, instance, settings.instances))
    newest_first = sorted(records, key=lambda record: record.manifest.sequence, reverse=True)
    return set_lines([commands.backup(record) for record in newest_first], as_json=as_json)


def run(config: Path, wish: Wish) -> int:
    """0 where it was restored, or only planned. Raise UsageError, JobError, EngineError."""
    settings = load(config, os.environ)
    if (wish.scratch is None) is not bool(wish.to):
        raise UsageError("say where to: --to INSTANCE, or --scratch DIRECTORY for a new server that stays")
    if wish.scratch is not None and wish.scratch.resolve() == scratch_directory(settings).resolve():
        raise UsageError("--scratch: that is where dbwatch removes what it made -> name another directory")
    try:
        return asyncio.run(_run(settings, wish))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print(_interrupted(wish))
        return INTERRUPTED


def _interrupted(wish: Wish) -> str:
    if wish.scratch is not None:
        return restoring_scratch.interrupted(wish.scratch)
    return f"interrupted: what was restored until now is in {wish.to}; nothing else was touched"


async def _run(settings: Settings, wish: Wish) -> int:
    cancel_at_sigterm()
    repository = Repository.configured(settings.backups)
    known = await restore_sets.of_instance(repository, wish.instance)
    record = await restore_sets.chosen(repository, known, wish)
    print("".join(f"{line}\n" for line in restore_sets.passed_over(known, record)), end="")
    if wish.only_plan:  # it writes nothing
        restore_sets.refuse_problem(record)
        return await _planned(settings, repository, known, record, wish)
    async with restore_sets.noting_damage(settings, repository, record, SystemClock()):
        restore_sets.refuse_problem(record)
        return await _planned(settings, repository, known, record, wish)


async def _planned(
    settings: Settings, repository: Repository, known: Sequence[BackupRecord], record: BackupRecord, wish: Wish
) -> int:
    part = _part(record, wish)
    engine = engines.load_backing(record.manifest.engine, library.load_for(settings, backups=True))
    source = Source(repository, engine, settings.backups)
    async with AsyncExitStack() as stack:
        target, told = await _target(stack, settings, source, record, wish)
        in_the_way = restoring_scratch.in_the_way(wish.scratch) if wish.scratch is not None else ()
        planned = await restoring.plan(source, record, part, target, told=told, known=known, in_the_way=in_the_way)
        print("\n".join(restore_plans.lines(planned, time.time())))
        if wish.only_plan:
            return 0
        restoring.refuse(planned, allowed(wish))
        _confirm(wish)
        await _carry_out(source, planned, target or Path(wish.scratch or "."))
    return 0


def _part(record: BackupRecord, wish: Wish) -> Part:
    into = wish.into
    if len(wish.words) > 1 and not into:
        into = restore_plans.beside(wish.words[1], record.manifest.started_at)
    try:
        known = {each.key for each in record.manifest.facts.tables}
        return restore_plans.part_of(wish.words, record.manifest.engine, into, known)
    except ValueError as error:
        raise UsageError(str(error)) from None


async def _target(
    stack: AsyncExitStack, settings: Settings, source: Source, record: BackupRecord, wish: Wish
) -> tuple[Target | None, str]:
    """None: a server is made for it, once it is sure that it is wanted."""
    if wish.scratch is not None:
        return None, f"a new server below {wish.scratch}, which stays"
    instance = named(settings, wish.to)
    reaching = restoring.real_target(source, record, instance, workshop=scratch_directory(settings), parallel=PARALLEL)
    target = await stack.enter_async_context(reaching)
    return target, f"{instance.name} ({instance.address}:{instance.port})"


def _confirm(wish: Wish) -> None:
    """Nobody is asked where nobody can answer."""
    if wish.is_sure:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: say --yes")
    if _typed("Go on? [y/N] ").strip().lower() not in ("y", "yes", "o", "oui"):
        raise UsageError("nothing was done")


def _typed(question: str) -> str:
    """'' at Ctrl-D and at Ctrl-C, which asyncio's own handler would only note, and leave us waiting."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return input(question)
    except (EOFError, KeyboardInterrupt):
        print()
        return ""
    finally:
        signal.signal(signal.SIGINT, before)


async def _carry_out(source: Source, planned: RestorePlan, where: Target | Path) -> None:
    care = Care()
    run = Run(Job(JobKind.RESTORE, planned.record.manifest.instance, _told), SystemClock(), lambda _run: None, care)
    run.turn()
    try:
        with display() as shown:
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(follow(lambda: _status(run), shown), name="progress")
                staying = await _restored(run, care, source, planned, where)
                telling.cancel()
    except BaseExceptionGroup as raised:
        raise only(raised) from raised
    print(printable(f"restored {planned.part} in {humanise.duration(run.seconds)}"))
    for note in planned.notes:
        print(printable(f"note       {note}"))
    if staying is not None:
        print("\n".join(map(printable, staying.lines(planned.makes))))
    elif isinstance(where, Target):
        await _tell(source, planned, where)


async def _tell(source: Source, planned: RestorePlan, target: Target) -> None:
    """What is left to a person."""
    for line in await restoring.afterwards(source, planned, target):
        print(printable(f"note       {line}"))
    if planned.part.table and planned.part.into:
        print(await written(source, planned, target))


async def _told(_run: Run) -> str:
    """A run of its own is no job of the runner's: it is carried out right here."""
    return ""


async def _status(run: Run) -> dict[str, object]:
    return commands.shown(run)


async def _restored(run: Run, care: Care, source: Source, planned: RestorePlan, where: Target | Path) -> Staying | None:
    """Into a target, or into a new server below a directory."""
    manifest = planned.record.manifest

    async def fill(target: Target) -> None:
        async with progress(run, care, manifest.size_bytes):
            await restoring.carry_out(run, source, planned, target)

    if isinstance(where, Target):
        await fill(where)
        return None
    programs = await source.engine.scratch_programs(manifest, source.directories(planned.record))
    workshop = Workshop.of(where, source.shared, named_by="--scratch")
    return await restoring_scratch.staying(run, source.engine, programs, workshop, fill)
