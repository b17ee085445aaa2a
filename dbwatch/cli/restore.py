"""`restore`: a plan first, and nothing that is there is touched unless told.

It needs the repository and the target alone: no daemon, no history, not the instance that was lost.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch import engines, library
from dbwatch.archive.repository import Repository
from dbwatch.cli.backup import cancel_at_sigterm, set_lines
from dbwatch.cli.job_progress import display, follow
from dbwatch.cli.targets import named
from dbwatch.clock import SystemClock
from dbwatch.core.backups import restore_plans
from dbwatch.core.backups.model import JobKind
from dbwatch.core.backups.restore_plans import Danger
from dbwatch.core.showing import humanise
from dbwatch.engines.backing import Target
from dbwatch.errors import UsageError
from dbwatch.jobs import commands, restoring, restoring_scratch
from dbwatch.jobs.faults import only
from dbwatch.jobs.options import scratch_directory
from dbwatch.jobs.process import Care
from dbwatch.jobs.restoring import Source
from dbwatch.jobs.restoring_hand_over import hand_over
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
    records = asyncio.run(_records(repository, instance))
    newest_first = sorted(records, key=lambda record: record.manifest.sequence, reverse=True)
    return set_lines([commands.backup(record) for record in newest_first], as_json=as_json)


async def _records(repository: Repository, instance: str) -> list[BackupRecord]:
    if instance:
        return list(await repository.records(instance))
    found = await repository.rescan()
    return [record for records in found.records.values() for record in records]


def run(config: Path, wish: Wish) -> int:
    """0 where it was restored, or only planned. Raise UsageError, JobError, EngineError."""
    settings = load(config, os.environ)
    if (wish.scratch is None) is not bool(wish.to):
        raise UsageError("say where to: --to INSTANCE, or --scratch DIRECTORY for a new server that stays")
    if wish.scratch is not None and wish.scratch.resolve() == scratch_directory(settings).resolve():
        raise UsageError("--scratch: that is where dbwatch removes what it made -> name another directory")
    try:
        return asyncio.run(_run(settings, wish))
    except KeyboardInterrupt:
        print("interrupted: what was restored until now is there; nothing else was touched")
        return INTERRUPTED


async def _run(settings: Settings, wish: Wish) -> int:
    cancel_at_sigterm()
    repository = Repository.configured(settings.backups)
    known = await repository.records(wish.instance)
    record = await _chosen(repository, known, wish)
    part = _part(record, wish)
    engine = engines.load_backing(record.manifest.engine, library.load_for(settings, backups=True))
    source = Source(repository, engine, settings.backups)
    async with AsyncExitStack() as stack:
        target, told = await _target(stack, settings, source, record, wish)
        planned = await restoring.plan(source, record, part, target, told=told, known=known)
        print("\n".join(restore_plans.lines(planned, time.time())))
        if wish.only_plan:
            return 0
        restoring.refuse(planned, allowed(wish))
        _confirm(wish)
        await _carry_out(source, planned, target or Path(wish.scratch or "."))
    return 0


async def _chosen(repository: Repository, known: Sequence[BackupRecord], wish: Wish) -> BackupRecord:
    """With its whole manifest where it has one."""
    record = restore_plans.chosen(known, wish.instance, wish.backup)
    if record is None:
        what = f"no backup {wish.backup} of {wish.instance}" if wish.backup else f"no backup of {wish.instance}"
        raise UsageError(f"{what} is in {repository.directory} -> see `dbwatch restore list`")
    return record if record.problem else await repository.read(wish.instance, record.manifest.kind, record.id)


def _part(record: BackupRecord, wish: Wish) -> Part:
    into = wish.into
    if len(wish.words) > 1 and not into:
        into = restore_plans.beside(wish.words[1], record.manifest.started_at)
    try:
        return restore_plans.part_of(wish.words, record.manifest.engine, into)
    except ValueError as error:
        raise UsageError(str(error)) from None


async def _target(
    stack: AsyncExitStack, settings: Settings, source: Source, record: BackupRecord, wish: Wish
) -> tuple[Target | None, str]:
    """None: a server is made for it, once it is sure that it is wanted."""
    if wish.scratch is not None:
        return None, f"a new server below {wish.scratch}, which stays"
    instance = named(settings, wish.to)
    target = await stack.enter_async_context(restoring.real_target(source, record, instance, PARALLEL))
    return target, f"{instance.name} ({instance.address}:{instance.port})"


def _confirm(wish: Wish) -> None:
    """Nobody is asked where nobody can answer."""
    if wish.is_sure:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: say --yes")
    if input("Go on? [y/N] ").strip().lower() not in ("y", "yes", "o", "oui"):
        raise UsageError("nothing was done")


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
    print(f"restored {planned.part} in {humanise.duration(run.seconds)}")
    if staying is not None:
        print("\n".join(staying.lines))
    elif planned.part.table and planned.part.into:
        print(hand_over(planned))


async def _told(_run: Run) -> str:
    """A run of its own is no job of the runner's: it is carried out right here."""
    return ""


async def _status(run: Run) -> dict[str, object]:
    return commands.shown(run)


async def _restored(run: Run, care: Care, source: Source, planned: RestorePlan, where: Target | Path) -> Staying | None:
    """Into a target, or into a new server below a directory."""
    manifest = planned.record.manifest
    if isinstance(where, Target):
        async with progress(run, care, manifest.size_bytes):
            await restoring.carry_out(run, source, planned, where)
        return None
    programs = await source.engine.scratch_programs(manifest, source.directories(planned.record))
    async with restoring_scratch.made(run, source.engine, programs, Workshop.of(where, source.shared)) as server:
        async with progress(run, care, manifest.size_bytes):
            await restoring.carry_out(run, source, planned, server.target)
        scratch = server.scratch
    return await restoring_scratch.stay(source.engine, scratch)
