"""Runs `ask` and `doctor`: opens the configuration, sets up quiet logs, and drives the polling."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.cli import ask as asking
from dbwatch.cli import doctor as examining
from dbwatch.cli import logs
from dbwatch.cli.doctor_backups import with_backups
from dbwatch.cli.targets import open_world
from dbwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from dbwatch.poller.once import Target
    from dbwatch.settings.models import Settings


@dataclass(frozen=True, slots=True)
class Answer:
    """What is printed, and what is told beside it."""

    text: str
    complaints: Sequence[str] = ()


def ask(
    config: Path, name: str, names: Sequence[str], collectors: Sequence[str], style: str, *, with_texts: bool = False
) -> Answer:
    """Raise UsageError for a format, an instance or a collector that does not exist; EngineError for a question."""
    if style not in asking.FORMATS:
        raise UsageError(f"no format {style!r}: {', '.join(asking.FORMATS)}")
    logs.set_up("console", "error")
    target = open_world(config).target(name)
    width = shutil.get_terminal_size((160, 24)).columns
    question = names[0] if len(names) == 1 and not collectors else ""
    if with_texts and question != "statements":
        raise UsageError("--text is for statements alone: dbwatch ask INSTANCE statements --text")
    if question in asking.QUESTIONS:
        return Answer(asyncio.run(asking.activity_text(target, question, style, width, with_texts=with_texts)))
    _refuse_mixture(names, target.catalogue.known_collectors()[target.engine.name])
    return Answer(*asyncio.run(asking.poll_text(target, [*names, *collectors], style, width)))


def _refuse_mixture(names: Sequence[str], collectors: AbstractSet[str]) -> None:
    """Words that are no collectors' names, where only those can stand. Raise UsageError."""
    if any(name in asking.QUESTIONS for name in names) and len(names) > 1:
        raise UsageError("ask for sessions, locks or statements alone; collectors of these names: --collector")
    if "metrics" in names and "metrics" not in collectors:
        raise UsageError("no collector 'metrics': without a name ask prints all metrics")


def doctor(config: Path, names: Sequence[str], say: Callable[[str], None]) -> bool:
    """Examine instance by instance, telling each as it is known. True where nothing is missing."""
    logs.set_up("console", "error")
    world = open_world(config)
    targets = world.targets(names)
    if not targets:
        raise UsageError("the configuration watches no instance")
    diagnoses = asyncio.run(_examine(targets, world.settings, say))
    for line in examining.remedies(diagnoses):
        say(line)
    return all(each.healthy for each in diagnoses)


async def _examine(
    targets: Sequence[Target], settings: Settings, say: Callable[[str], None]
) -> list[examining.Diagnosis]:
    diagnoses = []
    for target in targets:
        diagnosis = await with_backups(await examining.examine(target), target, settings)
        diagnoses.append(diagnosis)
        for line in diagnosis.lines:
            say(line)
    return diagnoses
