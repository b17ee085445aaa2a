"""The catalogue: every family, collector, probe and question, read from text and checked as a whole. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, TypeVar

import yaml
from pydantic import AfterValidator, Field, ValidationError

from dbwatch.core import consistency, strict_yaml
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
from dbwatch.core.model import (
    Agreement,
    Collector,
    Column,
    Family,
    FamilyType,
    Lane,
    Probe,
    Question,
    TopN,
)
from dbwatch.errors import CatalogueError, Fault, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from dbwatch.core.heads import KeyValueHead

ENGINES = ("postgres", "mysql")
TAKEN_LABELS = frozenset({"db_instance", "engine", "env", "service", "team", "job", "instance", "le", "quantile"})
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


def _is_free(label: str) -> str:
    """A label twice in one series makes the whole page unreadable."""
    if label in TAKEN_LABELS or label.startswith("__"):
        raise ValueError(f"the label {label} is taken: every series has it already, or Prometheus gives it")
    return label


LabelName = Annotated[str, Field(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$"), AfterValidator(_is_free)]


class FamilyHead(Head):
    """One entry of families.yml."""

    type: FamilyType
    help: str = Field(min_length=1)
    unit: str = Field(default="", pattern="^(seconds|bytes|ratio|)$")
    labels: tuple[LabelName, ...] = ()
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


def families(text: str, where: str, builtin: Collection[str] = ()) -> dict[str, Family]:
    """Read families.yml, which may name none of the `builtin` families. Raise CatalogueError with every mistake."""
    try:
        entries = strict_yaml.load(text)
    except yaml.YAMLError as error:
        raise fault(where, strict_yaml.problem(error)) from None
    if not isinstance(entries, dict):
        raise fault(where, "not a mapping of families by name")
    found, faults = {}, []
    names = set(builtin)
    for key, entry in entries.items():
        name = str(key)
        faults += [Fault(f"{where}: {name}", what, "choose another name") for what in _taken(name, builtin, names)]
        names.add(name)
        try:
            head = FamilyHead.model_validate(entry)
        except ValidationError as error:
            faults += mistakes(error, f"{where}: {name}")
        else:
            faults += [Fault(f"{where}: {name}", what) for what in _mistyped(name, head)]
            found[name] = Family(name, head.type, head.help, head.labels, head.unit, head.engines)
    if faults:
        raise CatalogueError(faults)
    return found


def _taken(name: str, builtin: Collection[str], names: Collection[str]) -> Iterator[str]:
    """OpenMetrics cuts _total and _info off: what is two names here may be one family there, told twice."""
    if not name.startswith("dbwatch_"):
        yield "a family's name begins with dbwatch_"
    if name in builtin:
        yield f"{name} is a built-in family"
    stem = name.removesuffix("_total").removesuffix("_info")
    same = {stem, f"{stem}_total", f"{stem}_info"} - {name}
    if clash := next((each for each in sorted(same) if each in names), ""):
        yield f"OpenMetrics knows it and {clash} by one name"


def _mistyped(name: str, head: FamilyHead) -> Iterator[str]:
    """Prometheus's naming rules, applied once: what promtool would warn of is refused here."""
    if (head.type is FamilyType.COUNTER) is not name.endswith("_total"):
        yield "counters, and only counters, end in _total"
    if (head.type is FamilyType.INFO) is not name.endswith("_info"):
        yield "info families, and only they, end in _info"
    if head.unit and not name.removesuffix("_total").endswith(f"_{head.unit}"):
        yield f"the unit {head.unit} must end the name"
    if strangers := sorted(set(head.engines) - set(ENGINES)):
        yield f"engines: {', '.join(strangers)}: not one of {', '.join(ENGINES)}"


def build(known: Mapping[str, Family], sources: Iterable[Source]) -> Catalogue:
    """Read every source and check the whole. Raise CatalogueError with every mistake, not the first one."""
    collectors: dict[Key, Collector] = {}
    probes: dict[Key, Probe] = {}
    questions: dict[Key, Question] = {}
    faults: list[Fault] = []
    for source in sources:
        try:
            if source.kind == "metrics":
                _add(collectors, source, _allowed(collector(source), source))
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


def _allowed(item: Collector, source: Source) -> Collector:
    """A sampler holds a session of its own: a server is not given more of them than we promised."""
    if item.lane is Lane.SAMPLER and not source.builtin:
        raise fault(source.path, "lane: the sampler is dbwatch's own", "say fast, slow or heavy")
    return item


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
        agree=Agreement(head.agree.key, head.agree.replicas) if head.agree else None,
        top=TopN(head.top.key, head.top.weight, head.top.limit, head.top.growth) if head.top else None,
        key_value=_pair(head.rows),
        accumulate=head.accumulate,
        accounts=head.accounts,
        applications=head.applications,
        enabled=head.enabled,
        path=source.path,
        source=head.source,
        databases=head.databases,
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
    for (engine, _), item in catalogue.collectors.items():
        faults += [
            Fault(item.path, f"needs the probe {need!r}, and sql/{engine}/probes has none of that name")
            for need in item.needs
            if (engine, need) not in catalogue.probes
        ]
        faults += consistency.combinations(item)
        faults += _check_running(catalogue, item)
        for family_name in sorted(item.families):
            faults += _check_family(catalogue.families.get(family_name), family_name, item)
    return [*faults, *consistency.clashes(catalogue.collectors.values())]


def _check_running(catalogue: Catalogue, item: Collector) -> list[Fault]:
    """Running sums are kept by item of the top-N; only a gauge may stand for all rows."""
    if not item.accumulate:
        return []
    if item.top is None:
        return [Fault(item.path, "accumulate needs top", "say which columns name an item, and how many are kept")]
    faults = []
    for column in item.metrics:
        named = {source for _, source in column.labels if not source.startswith("=")}
        family = catalogue.families.get(column.family)
        is_total = not named and family is not None and family.type is not FamilyType.COUNTER
        if column.states or column.integrate or not (named == set(item.top.key) or is_total):
            faults.append(Fault(item.path, f"{column.family}: accumulate wants numbers with the labels of top.key"))
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
