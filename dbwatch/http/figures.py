"""The key figures of an instance: which they are stands in figures.yml, what they are worth is read from the store.

Here they are values; how they look is the page's business.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dbwatch.core import strict_yaml
from dbwatch.errors import CatalogueError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dbwatch.core.model import Block, Family, Snapshot

FIGURES_FILE = Path(__file__).with_name("figures.yml")
AGGREGATES: Mapping[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min}
RANKED = 10  # items of a list
RATE_MAX_SECONDS = 300.0  # readings further apart say nothing of now


class Fallback(BaseModel):
    """What a figure shows where its own family has no sample."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    family: str
    aggregate: Literal["sum", "max", "min"]
    unit: Literal["count", "seconds", "bytes"]


class Definition(BaseModel):
    """One entry of figures.yml."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    title: str = Field(min_length=1)
    family: str
    aggregate: Literal["sum", "max", "min", "rate"]
    unit: Literal["count", "seconds", "bytes"]
    fallback: Fallback | None = Field(default=None, alias="or")
    hint: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    of: str = ""
    by: tuple[str, ...] = ()
    on_card: bool = True
    warn_above: float | None = None
    absent: str = "no collector has given it yet: see the collectors"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of one instance now; `value` None: absent, and `why` says why."""

    key: str
    title: str
    unit: str
    value: float | None = None
    limit: float | None = None
    is_high: bool = False
    why: str = ""
    taken_at: float | None = None
    hint: str = ""  # a command that looks closer; only while it is high


@dataclass(frozen=True, slots=True)
class Ranking:
    """The greatest parts of a figure, by label values."""

    title: str
    unit: str
    items: Sequence[tuple[str, float]]
    more: int = 0


@dataclass(frozen=True, slots=True)
class _Reading:
    taken_at: float
    total: float
    rate: float | None = None


def load(text: str, families: Mapping[str, Family], where: str = "figures.yml") -> dict[str, Definition]:
    """Read the definitions and check them against the families. Raise CatalogueError with every mistake."""
    try:
        entries = strict_yaml.load(text)
    except yaml.YAMLError as error:
        raise CatalogueError([Fault(where, strict_yaml.problem(error))]) from None
    if not isinstance(entries, dict):
        raise CatalogueError([Fault(where, "not a mapping of figures by name")])
    found: dict[str, Definition] = {}
    faults: list[Fault] = []
    for key, entry in entries.items():
        try:
            found[key] = Definition.model_validate(entry)
        except ValidationError as error:
            faults += [Fault(f"{where}: {key}", f"{each['loc']}: {each['msg']}") for each in error.errors()]
        else:
            faults += _faults(f"{where}: {key}", found[key], families)
    if faults:
        raise CatalogueError(faults)
    return found


def _faults(where: str, definition: Definition, families: Mapping[str, Family]) -> list[Fault]:
    named = (definition.family, definition.of, definition.fallback.family if definition.fallback else "")
    faults = [Fault(where, f"no family {name!r} in families.yml") for name in named if name and name not in families]
    known = families.get(definition.family)
    unknown = {*definition.labels, *definition.by} - set(known.labels) if known else set()
    return faults + [Fault(where, f"{definition.family} has no label {label!r}") for label in sorted(unknown)]


class Figures:
    """Reads figures; remembers the last reading of each counter, to tell its growth."""

    def __init__(self, definitions: Mapping[str, Definition]) -> None:
        self._definitions = definitions
        self._readings: dict[tuple[str, str], _Reading] = {}

    def read(self, instance: str, snapshots: Sequence[Snapshot]) -> list[Figure]:
        """Every figure of one instance, from its snapshots."""
        return [self._figure(instance, key, each, snapshots) for key, each in self._definitions.items() if each.on_card]

    def rankings(self, snapshots: Sequence[Snapshot]) -> list[Ranking]:
        """What the figures are made of, where that can be listed; a list of one says nothing more than its sum."""
        made = [_ranking(each, snapshots) for each in self._definitions.values() if each.by]
        return [ranking for ranking in made if len(ranking.items) > 1]

    def forget_others(self, instances: Iterable[str]) -> None:
        kept = set(instances)
        self._readings = {key: reading for key, reading in self._readings.items() if key[0] in kept}

    def _figure(self, instance: str, key: str, definition: Definition, snapshots: Sequence[Snapshot]) -> Figure:
        found = _samples(snapshots, definition.family, definition.labels)
        values = [value for _, value in found]
        if not values:
            return _instead(key, definition, snapshots)
        taken_at = max(at for at, _ in found)
        if definition.aggregate == "rate":
            rate = self._rate((instance, key), taken_at, sum(values))
            why = "" if rate is not None else definition.absent
            return Figure(key, definition.title, definition.unit, rate, why=why, taken_at=taken_at)
        value = AGGREGATES[definition.aggregate](values)
        limit = sum(each for _, each in _samples(snapshots, definition.of, {})) if definition.of else None
        high = _is_high(value, limit, definition.warn_above)
        hint = definition.hint.replace("{instance}", instance) if high else ""
        return Figure(key, definition.title, definition.unit, value, limit or None, high, taken_at=taken_at, hint=hint)

    def _rate(self, key: tuple[str, str], taken_at: float, total: float) -> float | None:
        last = self._readings.get(key)
        if last is not None and taken_at <= last.taken_at:
            return last.rate
        usable = last is not None and taken_at - last.taken_at <= RATE_MAX_SECONDS and total >= last.total
        rate = (total - last.total) / (taken_at - last.taken_at) if last is not None and usable else None
        self._readings[key] = _Reading(taken_at, total, rate)
        return rate


def _instead(key: str, definition: Definition, snapshots: Sequence[Snapshot]) -> Figure:
    """The figure where its family has no sample."""
    other = definition.fallback
    found = _samples(snapshots, other.family, {}) if other else []
    if other is None or not found:
        return Figure(key, definition.title, definition.unit, why=definition.absent)
    value = AGGREGATES[other.aggregate]([each for _, each in found])
    return Figure(key, definition.title, other.unit, value, taken_at=max(at for at, _ in found))


def _ranking(definition: Definition, snapshots: Iterable[Snapshot]) -> Ranking:
    totals: dict[tuple[str, ...], float] = defaultdict(float)
    for snapshot in snapshots:
        for block in snapshot.blocks:
            if block.family == definition.family and set(definition.by) <= set(block.label_names):
                columns = [block.label_values[block.label_names.index(name)] for name in definition.by]
                for key, value in zip(zip(*columns, strict=True), block.values, strict=True):
                    if any(key):  # what belongs to nothing (background processes) has no name to list
                        totals[key] += value
    ranked = heapq.nlargest(RANKED, totals.items(), key=itemgetter(1))
    items = [(".".join(filter(None, key)), value) for key, value in ranked]
    title = f"{definition.title} by {definition.by[-1]}" if definition.on_card else definition.title
    return Ranking(title, definition.unit, items, len(totals) - len(items))


def _samples(snapshots: Iterable[Snapshot], family: str, labels: Mapping[str, str]) -> list[tuple[float, float]]:
    """(when taken, value) of every sample of the family that carries these labels."""
    return [
        (snapshot.taken_at, value)
        for snapshot in snapshots
        for block in snapshot.blocks
        if block.family == family
        for value in _values(block, labels)
    ]


def _values(block: Block, labels: Mapping[str, str]) -> Iterable[float]:
    if not labels:
        return block.values
    return [value for own, value in block.samples() if labels.items() <= own.items()]


def _is_high(value: float, limit: float | None, warn_above: float | None) -> bool:
    if warn_above is None:
        return False
    if limit is None:
        return value > warn_above
    return bool(limit) and value / limit > warn_above
