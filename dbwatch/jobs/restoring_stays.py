"""What a restore that failed has left: who is told of the error is told of the databases that were begun too."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dbwatch.core.backups.restore_plans import REPLACING
from dbwatch.core.backups.unread import some
from dbwatch.errors import EngineError, JobError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from dbwatch.core.backups.restore_plans import RestorePlan
    from dbwatch.engines.backing import BackupEngine, Pipeline, Target

MANY = 20


@asynccontextmanager
async def told(
    engine: BackupEngine, planned: RestorePlan, target: Target, before: Collection[str], begun: Sequence[Pipeline]
) -> AsyncIterator[None]:
    """`before`: the databases that were there. Raise what was raised, with what stays and what may be dropped of it."""
    try:
        yield
    except JobError as error:
        lines = [] if target.is_scratch else await _left(engine, planned, target, before, begun)
        if not lines:
            raise
        raise JobError(error.reason, "; ".join((error.message, *lines))) from error


async def _left(
    engine: BackupEngine, planned: RestorePlan, target: Target, before: Collection[str], begun: Sequence[Pipeline]
) -> list[str]:
    names = list(dict.fromkeys(name for each in begun for name in _filled(planned, each)))
    made = [name for name in names if name not in before]
    if made:
        there = await _present(engine, target)
        made = [name for name in made if there is None or name in there]
    found, where = [name for name in names if name in before], target.instance.name
    lines = []
    if found:
        among = "among or in place of" if planned.record.manifest.engine in REPLACING else "among"
        what = f"was on {where} before, and what was restored until then lies {among} what it held"
        lines.append(f"{some(found, MANY)} {what} -> do not drop it: look which of its objects are new")
    if made:
        what = f"what was restored until then stays on {where}, incomplete"
        lines.append(f"{what} ({some(made, MANY)}) -> look at it, or drop it before the next try")
    return lines


def _filled(planned: RestorePlan, begun: Pipeline) -> tuple[str, ...]:
    name = planned.part.into or begun.database
    return begun.fills or ((name,) if begun.database else ())


async def _present(engine: BackupEngine, target: Target) -> Collection[str] | None:
    """None: that cannot be asked any more."""
    try:
        return await engine.present(target)
    except (EngineError, JobError):
        return None
