"""What one run of a collector gave, and how blocks become lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbwatch.core import exposition
from dbwatch.core.model import Block
from dbwatch.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dbwatch.core.exposition import Renderer
    from dbwatch.core.model import Collector, Snapshot
    from dbwatch.errors import EngineError
    from dbwatch.settings.models import Instance

    Lines = Mapping[str, tuple[bytes, ...]]

DATABASE = "database"
# The last value is still the best one known; everything else is gone at once.
KEEPS_LAST_VALUE = frozenset(
    {Reason.TIMEOUT, Reason.LOCK, Reason.LOST, Reason.REFUSED, Reason.DNS, Reason.STARTING, Reason.TOO_MANY_CONNECTIONS,
     Reason.TLS, Reason.AUTH, Reason.OTHER}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a collector gave: values, their lines by family, and what was left out."""

    blocks: Sequence[Block]
    lines: Lines
    seconds: float
    interval_seconds: float
    dropped: int = 0
    error: EngineError | None = None
    note: str = ""  # what it lacks for good, for people


def publishing_interval(collector: Collector, instance: Instance) -> float:
    """How often it gives values, where no cost stretches that: the sampler asks more often than it publishes."""
    return max(collector.interval_seconds, instance.fast_interval)


def lines_of(renderer: Renderer, collector: str, blocks: Sequence[Block]) -> Lines:
    """All lines of a few blocks at once; large results are rendered in steps (rendering.outcome)."""
    texts: dict[str, list[bytes]] = {}
    for position, block in enumerate(blocks):
        texts.setdefault(block.family, []).extend(renderer.render(collector, position, block))
    renderer.forget(collector, len(blocks))
    return {family: exposition.gathered(parts) for family, parts in texts.items()}


def without(snapshot: Snapshot, databases: Collection[str]) -> Snapshot:
    """The snapshot less the samples of these databases; the same object where it has none. Pure."""
    kept = [_without(block, databases) for block in snapshot.blocks]
    if all(block is before for block, before in zip(kept, snapshot.blocks, strict=True)):
        return snapshot
    return replace(snapshot, blocks=tuple(block for block in kept if len(block)))


def _without(block: Block, databases: Collection[str]) -> Block:
    if DATABASE not in block.label_names:
        return block
    stays = [name not in databases for name in block.label_values[block.label_names.index(DATABASE)]]
    if all(stays):
        return block
    rows = [at for at, is_kept in enumerate(stays) if is_kept]
    labels = tuple(tuple(column[at] for at in rows) for column in block.label_values)
    return Block(block.family, block.label_names, labels, tuple(block.values[at] for at in rows), block.suffix)
