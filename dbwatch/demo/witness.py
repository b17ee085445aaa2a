"""What the demonstration saw: the greatest value of each key figure, for the summary at its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.http import figures, humanise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbwatch.http.figures import Figure
    from dbwatch.store import Store

LOOK_EVERY_SECONDS = 1.0


@dataclass(slots=True)
class Witness:
    """Looks at the store each second, as a person looks at the page."""

    greatest: dict[str, dict[str, Figure]] = field(default_factory=dict)
    collectors: dict[str, tuple[int, int]] = field(default_factory=dict)  # instance -> (succeeded, asked)
    series: int = 0
    were_up: set[str] = field(default_factory=set)

    async def watch(self, store: Store, stop: asyncio.Event) -> None:
        """Look until `stop`."""
        reader = figures.Figures(figures.load(figures.FIGURES_FILE.read_text(), store.families))
        while not stop.is_set():
            self.look(store, reader)
            try:
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await stop.wait()
            except TimeoutError:
                continue

    def look(self, store: Store, reader: figures.Figures) -> None:
        """Note what is greater than ever before."""
        self.series = max(self.series, store.series())
        for state in store.states():
            name = state.identity.db_instance
            if state.up:
                self.were_up.add(name)
            asked = [status for status in state.collectors.values() if status.succeeded is not None]
            self.collectors[name] = (sum(bool(status.succeeded) for status in asked), len(asked))
            for figure in reader.read(name, store.snapshots(name)):
                self._note(name, figure)

    def _note(self, name: str, figure: Figure) -> None:
        known = self.greatest.setdefault(name, {})
        before = known.get(figure.key)
        if before is None or (figure.value is not None and figure.value >= (before.value or 0)):
            known[figure.key] = figure

    def lines(self) -> Iterator[str]:
        """The summary, a line a figure."""
        for name, (succeeded, asked) in sorted(self.collectors.items()):
            seen = "up" if name in self.were_up else "never up"
            yield f"{name}: {seen}, {succeeded} of {asked} collectors gave values"
            for figure in self.greatest.get(name, {}).values():
                yield f"    {figure.title.lower() + ', at most':<36}{shown(figure)}"
        yield f"{self.series} series in all"


def shown(figure: Figure) -> str:
    """A figure in its unit, with what it is held against."""
    if figure.value is None:
        return humanise.ABSENT
    units = {"seconds": humanise.duration, "bytes": humanise.size, "count": humanise.count}
    of = f" of {humanise.count(figure.limit)}" if figure.limit is not None else ""
    return units[figure.unit](figure.value) + of
