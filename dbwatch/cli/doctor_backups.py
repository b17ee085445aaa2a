"""What `dbwatch doctor` says of an instance's backups: whether one could begin now, and the warnings it would bear."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.core import quoting
from dbwatch.core.backups.model import JobReason
from dbwatch.core.showing import humanise
from dbwatch.core.showing.tables import printable
from dbwatch.engines import load_backing
from dbwatch.errors import EngineError, JobError
from dbwatch.jobs.faults import job_error
from dbwatch.jobs.foreseeing import in_the_repository
from dbwatch.jobs.options import backup_of, dump_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dbwatch.cli.doctor import Diagnosis
    from dbwatch.engines.preflight import Preflight, Statement
    from dbwatch.poller.once import Target
    from dbwatch.settings.models import Settings

AGAIN = "-- then `dbwatch doctor` once more, for only then can be seen: "
NOT_FOR_PSQL = "whose name holds a line break or the like, so that psql cannot enter it"
NOT_TO_BE_PASTED = "-- a name in this holds what cannot be pasted (?) -> run it by another program: "


async def with_backups(diagnosis: Diagnosis, target: Target, settings: Settings) -> Diagnosis:
    """The same, and what stands in the way of a backup, where the instance is backed up. Nothing is dumped."""
    backup = backup_of(target.instance)
    if backup is None:
        return diagnosis
    name = target.instance.identity.engine
    found, failures = None, list(_keys(settings))
    try:
        options = dump_options(backup, settings.backups, name)
        found = await load_backing(name, target.catalogue).preflight(target.instance, options)
    except (EngineError, JobError) as error:
        failures.append(job_error(error))
    failures += await in_the_repository(settings.backups, target.instance, found)
    told = unfit(diagnosis, failures) if failures else diagnosis
    return judged(told, found, could_begin=not failures) if found else told


def _keys(settings: Settings) -> Iterator[JobError]:
    from dbwatch.app import backup_check  # its library is for those who encrypt

    for fault in backup_check.faults(settings):
        yield JobError(JobReason.NO_KEY, str(fault))


def unfit(diagnosis: Diagnosis, failures: Iterable[JobError]) -> Diagnosis:
    """It would end at the first step: the login, the programs, the repository, the keys."""
    lines = (f"  FAILED   backup: {told.reason}: {printable(told.message)}" for told in failures)
    return replace(diagnosis, lines=(*diagnosis.lines, *lines), healthy=False)


def judged(diagnosis: Diagnosis, found: Preflight, *, could_begin: bool = True) -> Diagnosis:
    """Each fault with its remedy, and what is to be granted once more at the end."""
    return replace(
        diagnosis,
        lines=(*diagnosis.lines, *_lines(found, could_begin=could_begin)),
        grants=tuple(dict.fromkeys((*diagnosis.grants, *_grants(found)))),
        healthy=diagnosis.healthy and not found.faults,
    )


def _lines(found: Preflight, *, could_begin: bool) -> Iterator[str]:
    for fault in found.faults:
        yield f"  MISSING  backup: {fault.reason}: {printable(fault.line)}"
    if could_begin and not found.faults:
        many = len(found.databases)
        what = f"{many} database{'s' if many > 1 else ''}, {humanise.size(found.size_bytes)}"
        yield f"  ok       backup: {what}, with {found.programs[0].version_text}"
    yield from (f"           warning: {printable(line)}" for line in found.warnings)


def _grants(found: Preflight) -> Iterator[str]:
    """To be pasted into a client: what is of one database is run in it."""
    mending = [fault for fault in found.faults if fault.statements]
    yield from dict.fromkeys(_entered(each) for fault in mending for each in fault.statements)
    if hidden := dict.fromkeys(fault.hides for fault in mending if fault.hides):
        yield AGAIN + printable("; ".join(hidden))


def _entered(statement: Statement) -> str:
    name, text = statement.database, statement.text
    if quoting.CONTROL.search(text.replace("\n", "")):  # between quotes a client takes a line break for one
        return NOT_TO_BE_PASTED + printable(text)
    if not name:
        return text
    if quoting.CONTROL.search(name):
        where = f"-- in the database {printable(name)}, {NOT_FOR_PSQL}"
        return f"{where} -> connect to it by another program, and run there: {printable(text)}"
    return f"\\connect {quoting.psql_connection(name)}\n{text}"
