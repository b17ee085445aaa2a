"""Mapping and rendering of large results in steps, so that the event loop never waits long for one of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dbwatch.core import exposition, mapping
from dbwatch.poller.outcome import Outcome

if TYPE_CHECKING:
    from dbwatch.core.mapping import Mapper
    from dbwatch.core.model import Block, Collector, Rows
    from dbwatch.errors import EngineError
    from dbwatch.poller.watch import Watch

STEP_SAMPLES = 2000


async def blocks_of(mapper: Mapper, rows: Rows, now: float, elapsed_seconds: float = 0.0) -> list[Block]:
    """All blocks of a result; others run between the large ones. Raise EngineError (shape)."""
    blocks, since = [], 0
    for block in mapper.blocks(rows, now, elapsed_seconds):
        blocks.append(block)
        since = await _breathe(since + len(block))
    return blocks


async def outcome(
    watch: Watch,
    collector: Collector,
    blocks: list[Block],
    seconds: float,
    interval_seconds: float,
    *,
    error: EngineError | None = None,
    note: str = "",
) -> Outcome:
    """The blocks within the collector's budget, and their lines by family."""
    kept, dropped = mapping.budgeted(blocks, collector.max_series)
    texts: dict[str, list[bytes]] = {}
    since = 0
    for position, block in enumerate(kept):
        texts.setdefault(block.family, []).extend(watch.renderer.render(collector.name, position, block))
        since = await _breathe(since + len(block))
    watch.renderer.forget(collector.name, len(kept))
    lines = {family: exposition.gathered(parts) for family, parts in texts.items()}
    return Outcome(kept, lines, seconds, interval_seconds, dropped, error, note)


async def _breathe(since: int) -> int:
    if since < STEP_SAMPLES:
        return since
    await asyncio.sleep(0)
    return 0
