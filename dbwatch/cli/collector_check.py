"""`dbwatch collectors check FILE`: what is wrong with an operator's own collector, and what it would give."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch import engines, library
from dbwatch.cli import logs
from dbwatch.cli.ask import asked_blocks, complaints, samples_table, title
from dbwatch.cli.doctor import SKIPPED
from dbwatch.cli.targets import named
from dbwatch.core import reference
from dbwatch.core.model import Scope
from dbwatch.core.schedule import COST_SHARE
from dbwatch.core.showing.humanise import duration
from dbwatch.errors import CatalogueError, Fault, UsageError
from dbwatch.poller.once import Target, poll_once
from dbwatch.settings.load import load
from dbwatch.settings.models import DatabaseFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.core.model import Collector
    from dbwatch.poller.once import Poll
    from dbwatch.settings.models import Instance

FIRST_DATABASES = 3
SAMPLES_SHOWN = 50
KEYS = re.compile(r"^[\w.]+(?=: )")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; `against`: the instance to run it on, '' for none."""

    file: Path
    against: str
    config: Path
    databases: Sequence[str] = ()


def check(request: Request, say: Callable[[str], None]) -> bool:
    """The command."""
    logs.set_up("console", "error")
    return examined(request, say)


def examined(request: Request, say: Callable[[str], None]) -> bool:
    """Tell everything that is wrong, and what the file gives. True where it can be taken as it is.

    Raise UsageError or ConfigError where the instance, not the file, is what is wrong.
    """
    instance = _instance(request)
    try:
        catalogue, item = library.load_one(request.file, instance.identity.engine if instance else None)
    except CatalogueError as error:
        for fault in error.faults:
            say(str(placed(fault, request.file)))
        return False
    for line in _about(catalogue, item):
        say(line)
    return instance is None or _run(request, catalogue, item, instance, say)


def _instance(request: Request) -> Instance | None:
    return named(load(request.config, os.environ), request.against) if request.against else None


def placed(fault: Fault, file: Path) -> Fault:
    """With the line of the key that it names, where that can be found in the file."""
    keys = KEYS.match(fault.what)
    if fault.where != str(file) or keys is None:
        return fault
    text, at = file.read_text(encoding="utf-8"), 0
    for key in keys.group().split("."):
        found = re.compile(rf"\b{re.escape(key)}\b\s*:").search(text, at)
        if found is None:
            break
        at = found.start()
    line = text.count("\n", 0, at) + 1
    return replace(fault, where=f"{fault.where}:{line}") if at else fault


def _about(catalogue: Catalogue, item: Collector) -> Iterator[str]:
    where = f"lane {item.lane}, asked {reference.asked_where(item)}"
    yield f"{item.name} ({item.engine}): every {reference.every(item)}, {where}"
    for name in sorted(item.families):
        family = catalogue.families[name]
        yield f"  {name} ({family.type}): {family.help}"


def _run(
    request: Request, catalogue: Catalogue, item: Collector, instance: Instance, say: Callable[[str], None]
) -> bool:
    if item.engine != instance.identity.engine:
        raise UsageError(f"{request.file} is for {item.engine}, and {instance.name} is {instance.identity.engine}")
    most = None if request.databases else FIRST_DATABASES
    if request.databases:
        instance = instance.model_copy(update={"databases": DatabaseFilter(include=tuple(request.databases))})
    target = Target(instance, engines.load(item.engine, catalogue), catalogue, most_databases=most)
    poll = asyncio.run(poll_once(target, [item.name]))
    for line in told(poll, item, catalogue, shutil.get_terminal_size((160, 24)).columns):
        say(line)
    return is_fine(poll, item)


def is_fine(poll: Poll, item: Collector) -> bool:
    """It was asked, it answered, and nothing was left out."""
    status = poll.state.collectors.get(item.name)
    return status is not None and bool(status.succeeded) and not poll.dropped


def told(poll: Poll, item: Collector, catalogue: Catalogue, width: int) -> Iterator[str]:
    """The samples, then what they cost against what they may."""
    yield ""
    yield from title(poll)
    lines = samples_table(asked_blocks(poll), catalogue.families, width)
    yield from lines[: SAMPLES_SHOWN + 1]
    if len(lines) > SAMPLES_SHOWN + 1:
        yield f"and {len(lines) - SAMPLES_SHOWN - 1} more"
    status = poll.state.collectors.get(item.name)
    if status is not None and status.succeeded:
        yield from _cost(poll, item, status.seconds or 0.0)
    elif status is not None and status.skipped:
        yield f"not asked: {SKIPPED.get(status.skipped, status.skipped)}"
    yield from complaints(poll)


def _cost(poll: Poll, item: Collector, seconds: float) -> Iterator[str]:
    status, dropped = poll.state.collectors[item.name], poll.dropped.get(item.name, 0)
    each = " a database" if item.scope is Scope.DATABASE else ""
    limit = f"at most {duration(item.timeout_seconds)}{each}"
    yield f"{status.series} series of at most {item.max_series}, in {duration(seconds)} of {limit}"
    if status.message:
        yield f"note: {status.message}"
    if not status.series:
        yield "no sample: the query gave no row, or only what is no number: NULL, NaN, Infinity"
    if dropped:
        yield f"{dropped} series were left out: they are more than max_series -> aggregate, use `top`, or raise it"
    if status.interval_seconds > item.interval_seconds:
        yield f"it is asked every {duration(status.interval_seconds)}: the instance's fast_interval is the least"
    if seconds > COST_SHARE * item.interval_seconds:
        yield f"it takes more than {COST_SHARE:.0%} of its interval: the daemon would ask it less often"
