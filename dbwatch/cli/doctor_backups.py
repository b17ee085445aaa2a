"""What `dbwatch doctor` says of an instance's backups: whether one could begin now, and the warnings it would bear."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch.core import quoting
from dbwatch.core.showing import humanise
from dbwatch.engines import load_backing
from dbwatch.errors import EngineError, JobError
from dbwatch.jobs.faults import job_error
from dbwatch.jobs.options import backup_of, dump_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbwatch.cli.doctor import Diagnosis
    from dbwatch.engines.backing import Preflight
    from dbwatch.poller.once import Target
    from dbwatch.settings.models import Settings

POSTGRES = "postgres"
STATEMENTS, ENDS = ("GRANT ", "ALTER ", "DO "), (";", "*/")


async def with_backups(diagnosis: Diagnosis, target: Target, settings: Settings) -> Diagnosis:
    """The same, and what the backup's own account may do, where the instance is backed up. Nothing is dumped."""
    backup = backup_of(target.instance)
    if backup is None:
        return diagnosis
    name = target.instance.identity.engine
    try:
        options = dump_options(backup, settings.backups, name)
        found = await load_backing(name, target.catalogue).preflight(target.instance, options)
    except (EngineError, JobError) as error:
        return unfit(diagnosis, error)
    return judged(diagnosis, found)


def unfit(diagnosis: Diagnosis, error: EngineError | JobError) -> Diagnosis:
    """It ended at the first step: the login, or the programs."""
    told = job_error(error)
    line = f"  FAILED   backup: {told.reason}: {told.message}"
    return replace(diagnosis, lines=(*diagnosis.lines, line), healthy=False)


def judged(diagnosis: Diagnosis, found: Preflight) -> Diagnosis:
    """Each fault with its remedy, and what is to be granted once more at the end."""
    return replace(
        diagnosis,
        lines=(*diagnosis.lines, *_lines(found)),
        grants=tuple(dict.fromkeys((*diagnosis.grants, *_grants(found)))),
        healthy=diagnosis.healthy and not found.faults,
    )


def _lines(found: Preflight) -> Iterator[str]:
    for reason, line in found.faults:
        yield f"  MISSING  backup: {reason}: {line}"
    if not found.faults:
        many = len(found.databases)
        what = f"{many} database{'s' if many > 1 else ''}, {humanise.size(found.size_bytes)}"
        yield f"  ok       backup: {what}, with {found.programs[0].version_text}"
    yield from (f"           warning: {line}" for line in found.warnings)


def _grants(found: Preflight) -> Iterator[str]:
    """Those of PostgreSQL with the database that they are to be run in."""
    for _, line in found.faults:
        _, _, mend = line.rpartition(" -> ")
        if mend.startswith(STATEMENTS) and mend.endswith(ENDS):
            yield f"{_entered(found, line)}{mend}"


def _entered(found: Preflight, line: str) -> str:
    if found.server.flavour != POSTGRES:
        return ""
    name = next((name for name, _ in found.databases if line.startswith(f"{name}: ")), "")
    return "\\connect " + quoting.postgres(name) + "\n" if name else ""
