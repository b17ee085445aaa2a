"""What the demonstration saw: the greatest value of each key figure, alerts and mails, for the summary at its end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from dbwatch.core.showing import humanise
from dbwatch.http import figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbwatch.http.figures import Figure
    from dbwatch.store import Store

LOOK_EVERY_SECONDS = 1.0
ANSWER_SECONDS = 5.0


@dataclass(slots=True)
class Witness:
    """Looks at the store each second, as a person looks at the page."""

    greatest: dict[str, dict[str, Figure]] = field(default_factory=dict)
    collectors: dict[str, tuple[int, int]] = field(default_factory=dict)  # instance -> (succeeded, asked)
    series: int = 0
    were_up: set[str] = field(default_factory=set)
    fired: dict[str, str] = field(default_factory=dict)  # fingerprint -> which alert of which instance
    firing: set[str] = field(default_factory=set)  # fingerprints, when last looked at
    mails: list[str] = field(default_factory=list)  # their subjects

    async def watch(self, store: Store, stop: asyncio.Event) -> None:
        """Look until `stop`."""
        reader = figures.Figures(figures.load(figures.FIGURES_FILE.read_text(), store.families))
        while not stop.is_set():
            self.look(store, reader)
            await _a_moment(stop)

    async def watch_alerts(self, address: str, stop: asyncio.Event) -> None:
        """Ask the API until `stop`; what does not answer now may do so later."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not stop.is_set():
                with suppress(aiohttp.ClientError, TimeoutError, ValueError):
                    async with session.get(address, params={"state": "firing"}) as response:
                        self.note_alerts((await response.json())["alerts"])
                await _a_moment(stop)

    def note_alerts(self, alerts: list[dict[str, Any]]) -> None:
        self.firing = {each["fingerprint"] for each in alerts}
        self.fired |= {each["fingerprint"]: f"{each['name']} {each['instance']}".strip() for each in alerts}

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
        yield f"{_many(len(self.fired), 'alert')} fired, {_many(len(self.mails), 'mail')} sent"
        for fingerprint, name in sorted(self.fired.items(), key=lambda pair: pair[1]):
            yield f"    {name}: {'still firing' if fingerprint in self.firing else 'fired and resolved'}"
        yield from (f"    {subject}" for subject in self.mails)


async def _a_moment(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_EVERY_SECONDS):
            await stop.wait()


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def shown(figure: Figure) -> str:
    """A figure in its unit, with what it is held against."""
    if figure.value is None:
        return humanise.ABSENT
    units = {"seconds": humanise.duration, "bytes": humanise.size, "count": humanise.count}
    of = f" of {humanise.count(figure.limit)}" if figure.limit is not None else ""
    return units[figure.unit](figure.value) + of
