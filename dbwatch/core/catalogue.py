"""The catalogue: every family, collector, probe and question, read from text and checked as a whole. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import yaml
from pydantic import Field, ValidationError

from dbwatch.core import strict_yaml
from dbwatch.core.heads import (
    FAST_UP_TO_SECONDS,
    TIMEOUTS,
    CollectorHead,
    ColumnHead,
    Head,
    ProbeHead,
    QuestionHead,
    fault,
    mistakes,
    split,
    validated,
)
from dbwatch.core.model import Collector, Column, Family, FamilyType, Lane, Probe, Question, Scope, TopN
from dbwatch.errors import CatalogueError, Fault, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dbwatch.core.heads import KeyValueHead

ENGINES = ("postgres", "mysql")
Key = tuple[str, str]  # engine, name
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Source:
    """One file as text. `kind` is its folder: metrics, probes or jobs."""

    engine: str
    kind: str
    name: str
    path: str
    text: str
    builtin: bool = True


class FamilyHead(Head):
    """One entry of families.yml."""

    type: FamilyType
    help: str = Field(min_length=1)
    unit: str = Field(default="", pattern="^(seconds|bytes|ratio|)$")
    labels: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that dbwatch can ask, and what it calls the answers."""

    families: Mapping[str, Family] = field(default_factory=dict)
    collectors: Mapping[Key, Collector] = field(default_factory=dict)  # (engine, name)
    probes: Mapping[Key, Probe] = field(default_factory=dict)
    questions: Mapping[Key, Question] = field(default_factory=dict)

    def collectors_for(self, engine: str) -> tuple[Collector, ...]:
        return tuple(collector for (of, _), collector in self.collectors.items() if of == engine)

    def question(self, engine: str, name: str) -> Question:
        """Raise UsageError where no such question stands in sql/<engine>/jobs."""
        try:
            return self.questions[engine, name]
        except KeyError:
            raise UsageError(f"no question {name!r} for {engine}") from None

    def known_collectors(self) -> dict[str, set[str]]:
        return {engine: {name for of, name in self.collectors if of == engine} for engine in ENGINES}


def families(text: str, where: str) -> dict[str, Family]:
    """Read families.yml. Raise CatalogueError with every mistake."""
    try:
        entries = strict_yaml.load(text)
    except yaml.YAMLError as error:
        raise fault(where, strict_yaml.problem(error)) from None
    if not isinstance(entries, dict):
        raise fault(where, "not a mapping of families by name")
    found, faults = {}, []
    for name, entry in entries.items():
        try:
            found[name] = _family(name, FamilyHead.model_validate(entry))
        except ValidationError as error:
            faults += mistakes(error, f"{where}: {name}")
        except ValueError as error:
            faults.append(Fault(f"{where}: {name}", str(error)))
    if faults:
        raise CatalogueError(faults)
    return found


def _family(name: str, head: FamilyHead) -> Family:
    """Prometheus's naming rules, applied once: what promtool would warn of is refused here."""
    if not name.startswith("dbwatch_"):
        raise ValueError("a family's name begins with dbwatch_")
    if (head.type is FamilyType.COUNTER) is not name.endswith("_total"):
        raise ValueError("counters, and only counters, end in _total")
    if (head.type is FamilyType.INFO) is not name.endswith("_info"):
        raise ValueError("info families, and only they, end in _info")
    if head.unit and not name.removesuffix("_total").endswith(f"_{head.unit}"):
        raise ValueError(f"the unit {head.unit} must end the name")
    return Family(name, head.type, head.help, head.labels, head.unit, head.engines)


def build(known: Mapping[str, Family], sources: Iterable[Source]) -> Catalogue:
    """Read every source and check the whole. Raise CatalogueError with every mistake, not the first one."""
    collectors: dict[Key, Collector] = {}
    probes: dict[Key, Probe] = {}
    questions: dict[Key, Question] = {}
    faults: list[Fault] = []
    for source in sources:
        try:
            if source.kind == "metrics":
                _add(collectors, source, collector(source))
            elif source.kind == "probes":
                _add(probes, source, _probe(source))
            else:
                _add(questions, source, _question(source))
        except CatalogueError as error:
            faults += error.faults
    catalogue = Catalogue(dict(known), collectors, probes, questions)
    faults += _check(catalogue)
    if faults:
        raise CatalogueError(faults)
    return catalogue


def _add(into: dict[Key, Item], source: Source, item: Item) -> None:
    if (source.engine, source.name) in into:
        raise fault(source.path, f"there is a {source.name} for {source.engine} already", "rename the file")
    into[source.engine, source.name] = item


def collector(source: Source) -> Collector:
    """Read one collector file."""
    raw, variants = split(source.text, source.path)
    head = validated(CollectorHead, raw, source.path)
    lane = Lane(head.lane) if head.lane else Lane.FAST if head.interval <= FAST_UP_TO_SECONDS else Lane.SLOW
    return Collector(
        name=source.name,
        engine=source.engine,
        description=head.description,
        metrics=tuple(_columns(head)),
        variants=variants,
        interval_seconds=head.interval,
        timeout_seconds=head.timeout or TIMEOUTS[lane],
        lane=lane,
        scope=head.scope,
        role=head.role,
        max_series=head.max_series,
        needs=head.needs,
        top=TopN(head.top.key, head.top.weight, head.top.limit, head.top.growth) if head.top else None,
        key_value=_pair(head.rows),
        accounts=head.accounts,
        applications=head.applications,
        enabled=head.enabled,
        path=source.path,
    )


def _columns(head: CollectorHead) -> Iterable[Column]:
    for family, entries in head.metrics.items():
        for entry in entries if isinstance(entries, list) else [entries]:
            yield _column(family, entry)


def _column(family: str, entry: ColumnHead) -> Column:
    enum = tuple((text.lower(), value) for text, value in entry.enum.items())
    return Column(
        family,
        entry.value,
        tuple(entry.labels.items()),
        entry.scale,
        enum,
        entry.states,
        entry.state_label,
        entry.integrate,
    )


def _pair(rows: KeyValueHead | None) -> tuple[str, str] | None:
    return (rows.key, rows.value) if rows else None


def _probe(source: Source) -> Probe:
    raw, variants = split(source.text, source.path)
    head = validated(ProbeHead, raw, source.path)
    return Probe(source.name, source.engine, head.description, variants, tuple(head.grant.items()))


def _question(source: Source) -> Question:
    raw, variants = split(source.text, source.path)
    head = validated(QuestionHead, raw, source.path)
    return Question(source.name, source.engine, head.description, variants, head.timeout, _pair(head.rows), head.needs)


def _check(catalogue: Catalogue) -> list[Fault]:
    faults: list[Fault] = []
    fed: dict[tuple[str, str], str] = {}
    for (engine, name), item in catalogue.collectors.items():
        faults += [
            Fault(item.path, f"needs the probe {need!r}, and sql/{engine}/probes has none of that name")
            for need in item.needs
            if (engine, need) not in catalogue.probes
        ]
        if item.scope is Scope.DATABASE and item.lane not in (Lane.SLOW, Lane.HEAVY):
            faults.append(
                Fault(item.path, "scope database needs the lane slow or heavy", "a login a database is not fast")
            )
        for family_name in sorted(item.families):
            faults += _check_family(catalogue.families.get(family_name), family_name, item)
            other = fed.setdefault((engine, family_name), name)
            if other != name:
                faults.append(Fault(item.path, f"{family_name} is already given by the collector {other} of {engine}"))
    return faults


def _check_family(family: Family | None, name: str, item: Collector) -> list[Fault]:
    if family is None:
        return [Fault(item.path, f"{name} is not in families.yml", "declare type, help, unit and labels there")]
    if item.engine not in family.engines:
        return [Fault(item.path, f"families.yml does not list {item.engine} among the engines of {name}")]
    used = {label for column in item.metrics if column.family == name for label, _ in column.labels}
    used |= {column.state_label for column in item.metrics if column.family == name and column.states}
    extra = sorted(used - set(family.labels))
    return [Fault(item.path, f"{name} has no label {', '.join(extra)} in families.yml")] if extra else []
