"""What may be asked about drills by name, by the control socket or by a command: JSON in, JSON out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from dbwatch.core.backups import drills
from dbwatch.errors import UsageError
from dbwatch.jobs.drill_wishes import Wish

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from dbwatch.history.job_words import DrillKept
    from dbwatch.jobs.running import Run

    Command = Callable[[dict[str, object]], Awaitable[object]]


class DrillOffice(Protocol):
    """Who is asked."""

    async def started(self) -> None: ...

    async def refuse_unknown_table(self, instance: str, wish: Wish) -> None: ...

    def start_drill(self, instance: str, wish: Wish, asked_by: str) -> Run: ...

    @property
    def last_drills(self) -> Sequence[DrillKept]: ...


def commands(office: Callable[[], DrillOffice], shown: Callable[[Run], dict[str, object]]) -> Mapping[str, Command]:
    """`shown`: a run as JSON. They raise UsageError for what cannot be, JobError for what may not."""

    async def start(arguments: dict[str, object]) -> object:
        instance, who = str(arguments.get("instance") or ""), str(arguments.get("who") or "")
        wish = _wish(arguments)
        await office().started()
        await office().refuse_unknown_table(instance, wish)
        return shown(office().start_drill(instance, wish, who))

    async def listed(_arguments: dict[str, object]) -> object:
        return [_kept(each) for each in office().last_drills]

    return {"drill_start": start, "drill_list": listed}


def _wish(arguments: Mapping[str, object]) -> Wish:
    words = arguments.get("scenarios") or []
    try:
        scenarios = drills.named(map(str, words)) if isinstance(words, list) else ()
    except ValueError as error:
        raise UsageError(str(error)) from None
    table = str(arguments.get("table") or "")
    return Wish(scenarios, take=arguments.get("take") is True, keep=arguments.get("keep") is True, table=table)


def _kept(kept: DrillKept) -> dict[str, object]:
    document = json.loads(drills.dump(kept.result))
    return {**document, "report": kept.report}
