"""`dbwatch ask`: what one poll gave, as a table, as the exposition or as JSON. Pure, save for the polling itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dbwatch.core import exposition
from dbwatch.core.model import Lane, Role
from dbwatch.core.showing import activity
from dbwatch.core.showing.humanise import moment
from dbwatch.core.showing.tables import table
from dbwatch.core.showing.units import value_text
from dbwatch.errors import UsageError
from dbwatch.poller import self_metrics
from dbwatch.poller.once import SAMPLE_SECONDS, ask_once, poll_once
from dbwatch.poller.outcome import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dbwatch.core.model import Block, Family
    from dbwatch.poller.once import Poll, Target
    from dbwatch.store import CollectorStatus

    Families = Mapping[str, Family]

FORMATS = ("table", "prometheus", "json")
QUESTIONS = frozenset(activity.VIEWS)
WITH_TEXTS = "statement_texts"  # asked instead of `statements` where --text is given
COLUMNS = ("family", "labels", "value")


async def poll_text(target: Target, names: Sequence[str], style: str, width: int) -> tuple[str, list[str]]:
    """What goes to standard output, and what went wrong. Raise UsageError."""
    poll = await poll_once(target, names)
    return shown(poll, target.catalogue.families, style, width), complaints(poll)


async def activity_text(target: Target, name: str, style: str, width: int, *, with_texts: bool = False) -> str:
    """The answer to one of QUESTIONS. Raise EngineError."""
    question = WITH_TEXTS if with_texts and name == "statements" else name
    rows = await ask_once(target, target.catalogue.question(target.engine.name, question))
    if style == "json":
        return json.dumps(activity.as_json(rows), indent=2, ensure_ascii=False)
    if style == "prometheus":
        raise UsageError(f"{name} is a question, not a metric: table or json")
    return "\n".join(activity.VIEWS[name](rows, width))


def shown(poll: Poll, families: Families, style: str, width: int) -> str:
    """The poll in one of FORMATS."""
    if style == "prometheus":
        return prometheus_text(poll, families)
    if style == "json":
        return json.dumps(document(poll), indent=2, ensure_ascii=False)
    return "\n".join([*title(poll), *samples_table(asked_blocks(poll), families, width), *notes(poll)])


def title(poll: Poll) -> list[str]:
    """Who answered; nothing where nobody did."""
    state, facts = poll.state, poll.state.facts
    if facts is None:
        return []
    role = f", {facts.role}" if facts.role is not Role.ANY else ""
    return [f"{state.identity.db_instance}: {facts.flavour} {facts.version_text}{role} at {state.address}"]


def notes(poll: Poll) -> list[str]:
    """A sum over time that has only just begun is what one look saw."""
    sampled = [each for each in poll.state.collectors.values() if each.succeeded and each.lane == Lane.SAMPLER]
    return [f"{each.name}: who was active at one instant, counted as {SAMPLE_SECONDS:g} s" for each in sampled]


def asked_blocks(poll: Poll) -> list[Block]:
    """What the server said; what dbwatch says of its own collectors is for machines."""
    return [block for name, blocks in poll.blocks.items() if name != self_metrics.COLLECTOR for block in blocks]


def samples_table(blocks: Iterable[Block], families: Families, width: int) -> list[str]:
    """Family, labels, value with its unit; buckets of histograms are for machines."""
    rows = [
        [block.family + block.suffix, labels_text(labels), _value(value, block, families)]
        for block in blocks
        if block.suffix != "_bucket"
        for labels, value in block.samples()
    ]
    return [] if not rows else table(COLUMNS, sorted(rows, key=lambda row: row[0]), width, right=("value",))


def _value(value: float, block: Block, families: Families) -> str:
    unit = families[block.family].unit if block.suffix != "_count" else ""
    return value_text(value, unit, block.family)


def labels_text(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in labels.items() if value)


def prometheus_text(poll: Poll, families: Families) -> str:
    """The page that the daemon would serve of this instance, in the text format 0.0.4."""
    lines = lines_of(exposition.Renderer(poll.state.identity), "once", poll.all_blocks)
    text = b"".join(exposition.header(families[name]) + b"".join(lines[name]) for name in sorted(lines))
    return text.decode().rstrip("\n")


def document(poll: Poll) -> dict[str, object]:
    """The poll as plain values."""
    state = poll.state
    return {
        **state.identity.labels(),
        "address": state.address,
        "up": state.up,
        "reason": state.reason,
        "message": state.message,
        "taken_at": moment(state.checked_at or 0.0),
        "collectors": [_collector(status) for status in state.collectors.values()],
        "samples": [
            {"family": block.family + block.suffix, "labels": labels, "value": value}
            for block in poll.all_blocks
            for labels, value in block.samples()
        ],
    }


def _collector(status: CollectorStatus) -> dict[str, object]:
    return {
        "name": status.name,
        "succeeded": status.succeeded,
        "series": status.series,
        "seconds": None if status.seconds is None else round(status.seconds, 6),
        "reason": status.reason,
        "message": status.message,
        "remedy": status.remedy,
        "skipped": status.skipped,
    }


def complaints(poll: Poll) -> list[str]:
    """One line for whatever did not answer."""
    state = poll.state
    if not state.up:
        return [f"{state.identity.db_instance}: {state.reason}: {state.message}", *filter(None, [state.remedy])]
    failed = [status for status in state.collectors.values() if status.succeeded is False]
    return [
        line
        for status in failed
        for line in [f"{status.name}: {status.reason}: {status.message}", *status.remedy.splitlines()]
    ]
