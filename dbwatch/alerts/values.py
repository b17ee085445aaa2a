"""What the rules see: the store's samples and the process's own, by name, for some instances at a time.

Samples are made for one look, when the first rule reads their name, and dropped after it: kept, they would cost each
instance as much as its page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from dbwatch.core.promql import Present, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from dbwatch.core.model import Block, Identity
    from dbwatch.core.promql import Matcher, RangeSelector, Ring, Selector, Window
    from dbwatch.store import Store

    Inputs = tuple[tuple[Identity, Block], ...]
    OwnSamples = Callable[[], Iterable[tuple[str, Mapping[str, str], float]]]

LITERALS = re.compile(r"\w+(\|\w+)*")
# The names that rules read; and the values of one label, where no rule reads any other: of 300 settings, five.
Wanted: TypeAlias = "Mapping[str, tuple[str, frozenset[str]] | None]"
LARGE_ROWS = 1000  # a rule over so many is asked again only when something that it reads has changed
OURS = ""  # the place of what no instance has: the process itself


def wanted(selectors: Iterable[Selector]) -> Wanted:
    """What is to be read for these selectors."""
    by_name: dict[str, list[Selector]] = {}
    for selector in selectors:
        by_name.setdefault(selector.name, []).append(selector)
    return {name: _by_one_label(found) for name, found in by_name.items()}


def _by_one_label(selectors: Sequence[Selector]) -> tuple[str, frozenset[str]] | None:
    asked = [{each.label: values for each in one.matchers if (values := _literals(each))} for one in selectors]
    label = min(set.intersection(*map(set, asked)), default="")
    return (label, frozenset().union(*(each[label] for each in asked))) if label else None


def _literals(matcher: Matcher) -> frozenset[str]:
    """The values that it accepts, where they are few and known: `="a"` and `=~"a|b"`."""
    if not LITERALS.fullmatch(matcher.value) or matcher.operator not in ("=", "=~"):
        return frozenset()
    return frozenset(matcher.value.split("|") if matcher.operator == "=~" else [matcher.value])


class PlacesOnly:
    """The ring as one batch sees it."""

    def __init__(self, ring: Ring, places: Collection[str]) -> None:
        self._ring = ring
        self._places = places

    def window(self, selector: RangeSelector, now: float) -> Sequence[Window]:
        return self._ring.window(selector, now, self._places)


class Taken:
    """What is served now, of some instances: samples by name."""

    def __init__(self, names: Wanted) -> None:
        self._names = names
        self._blocks: dict[str, list[tuple[Identity, Block]]] = {}
        self._own: dict[str, list[Sample]] = {}
        self.has_much = False  # so that asking for `inputs` may pay

    def add(self, of: Identity, block: Block) -> None:
        name = block.family + block.suffix
        if name in self._names:
            self._blocks.setdefault(name, []).append((of, block))
            self.has_much = self.has_much or len(block) >= LARGE_ROWS

    def add_own(self, name: str, labels: Mapping[str, str], value: float) -> None:
        if name in self._names:
            self._own.setdefault(name, []).append(Sample(dict(labels), value))

    def samples(self, name: str) -> list[Sample]:
        """All that is wanted of this name."""
        found = list(self._own.get(name, ()))
        for identity, block in self._blocks.get(name, ()):
            labels = {label: value for label, value in identity.labels().items() if value}
            found += _of(block, labels, self._names[name])
        return found

    def inputs(self, names: Collection[str]) -> Inputs | None:
        """What a rule that reads these names works on, to be compared at the next look; None where it is little."""
        if not self.has_much or not self._own.keys().isdisjoint(names):
            return None
        found = tuple(each for name in names for each in self._blocks.get(name, ()))
        return found if any(len(block) >= LARGE_ROWS for _, block in found) else None


class Reader:
    """Takes what is wanted out of the store."""

    def __init__(self, store: Store, own: OwnSamples) -> None:
        self._store = store
        self._own = own

    def places(self) -> list[str]:
        """Every instance, and the process itself."""
        return [*(state.identity.db_instance for state in self._store.states()), OURS]

    def read(self, places: Iterable[str], names: Wanted) -> Taken:
        """Everything that is wanted and served now, of these places."""
        taken = Taken(names)
        for place in places:
            if place == OURS:
                for sample in self._own():
                    taken.add_own(*sample)
            else:
                self._read_instance(taken, place)
        return taken

    def _read_instance(self, taken: Taken, instance: str) -> None:
        try:
            identity = self._store.state(instance).identity
        except KeyError:  # it went while others were looked at
            return
        for snapshot in self._store.snapshots(instance):
            for block in snapshot.blocks:
                taken.add(identity, block)


def _of(block: Block, identity: Mapping[str, str], one_label: tuple[str, frozenset[str]] | None) -> list[Sample]:
    """An empty label does not exist: PromQL takes the two for the same."""
    names, columns = block.label_names, block.label_values
    if not names:
        return [Sample(identity, float(value)) for value in block.values]
    rows: Iterable[tuple[tuple[str, ...], float]] = zip(zip(*columns, strict=True), block.values, strict=True)
    if one_label and one_label[0] in names:
        chosen, at = one_label[1], names.index(one_label[0])
        rows = [row for row in rows if row[0][at] in chosen]
    if any("" in column for column in columns):
        return [Sample({**identity, **_present(names, texts)}, float(value)) for texts, value in rows]
    return [Sample({**identity, **dict(zip(names, texts, strict=True))}, float(value)) for texts, value in rows]


def _present(names: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    return {name: text for name, text in zip(names, texts, strict=True) if text}


def present(taken: Taken, ring: Ring, places: Collection[str] | None = None) -> Present:
    """A source for the evaluator; `places` None: all of them."""
    return Present(taken.samples, ring if places is None else PlacesOnly(ring, places))
