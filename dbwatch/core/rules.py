"""Alert rules as values, and where each of them can run. Pure.

A rule runs in the daemon where the daemon holds what it reads: families of the catalogue, or metrics of the process
itself. It always runs in Prometheus, whose grammar it is written in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from dbwatch.core import durations
from dbwatch.core.model import FamilyType
from dbwatch.core.promql import syntax

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.core.model import Collector, Family
    from dbwatch.core.promql.syntax import Expression, RangeSelector, Selector
    from dbwatch.core.promql.templates import Template

Own: TypeAlias = "Collection[str]"  # the names of the process's own metrics; their labels are not known
INSTANCE_LABELS = frozenset({"db_instance", "engine", "env", "service", "team"})
SCRAPE_LABELS = frozenset({"job", "instance"})
BUCKET = "le"
PARTS = ("_bucket", "_sum", "_count")
MAX_RANGE_SECONDS = 1800.0
INTERVALS_IN_A_RANGE = 3
OWN_INTERVAL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert of a rule file. Labels and annotations are templates."""

    name: str
    group: str
    expression: Expression
    text: str  # the expression as written
    for_seconds: float = 0.0
    keep_firing_for_seconds: float = 0.0
    labels: Mapping[str, Template] = field(default_factory=dict)
    annotations: Mapping[str, Template] = field(default_factory=dict)
    path: str = ""

    @property
    def severity(self) -> str:
        return self.labels["severity"].expand({}, 0.0)


@dataclass(frozen=True, slots=True)
class Feed:
    """Who gives a family to a rule: a collector of an engine, or the daemon itself ('')."""

    family: str
    engine: str = ""
    collector: str = ""
    interval_seconds: float = OWN_INTERVAL_SECONDS


@dataclass(frozen=True, slots=True)
class WhereItRuns:
    """What `dbwatch rules check` says of one rule."""

    rule: AlertRule
    families: tuple[str, ...]
    feeds: tuple[Feed, ...]
    faults: tuple[str, ...]  # why the daemon cannot run it

    @property
    def in_daemon(self) -> bool:
        return not self.faults


def ranges(rules: Iterable[AlertRule]) -> list[RangeSelector]:
    """Every distinct range that these rules look back upon."""
    return list(dict.fromkeys(each for rule in rules for each in syntax.ranges(rule.expression)))


def expand(template: Template, labels: Mapping[str, str], value: float) -> str:
    return template.expand(labels, value)


def where_it_runs(rule: AlertRule, catalogue: Catalogue, own: Own) -> WhereItRuns:
    """Judge one rule by what there is to read."""
    names = [each.name for each in syntax.selectors(rule.expression)]
    families = dict.fromkeys(family_of(name, catalogue) or name for name in names)
    feeds = [feed for name in families for feed in _feeds(name, catalogue, own)]
    faults = dict.fromkeys(_faults(rule, catalogue, own))
    return WhereItRuns(rule, tuple(families), tuple(feeds), tuple(faults))


def family_of(name: str, catalogue: Catalogue) -> str | None:
    """The family of a series: a histogram's parts belong to it."""
    if name in catalogue.families:
        return name
    base = next((name.removesuffix(part) for part in PARTS if name.endswith(part)), name)
    found = catalogue.families.get(base)
    return base if found and found.type is FamilyType.HISTOGRAM else None


def _feeds(family: str, catalogue: Catalogue, own: Own) -> Iterator[Feed]:
    givers = [each for each in catalogue.collectors.values() if family in each.families]
    yield from (Feed(family, each.engine, each.name, each.interval_seconds) for each in givers)
    if not givers and (family in own or (family in catalogue.families and not catalogue.families[family].engines)):
        yield Feed(family)


def _faults(rule: AlertRule, catalogue: Catalogue, own: Own) -> Iterator[str]:
    for selector in syntax.selectors(rule.expression):
        yield from _unknown(selector, catalogue, own)
    for each in syntax.ranges(rule.expression):
        yield from _ill_ranged(each, catalogue)
    known = _known_labels(rule, catalogue)
    if known is not None:
        used = _used_labels(rule)
        yield from (f"no metric that it reads has the label {label}" for label in sorted(used - known))
    carried = [label for label in sorted(SCRAPE_LABELS) if syntax.can_carry(rule.expression, label)]
    if carried:
        yield f"its result has the labels {' and '.join(carried)}: wrap it in max without (job, instance) (...)"


def _unknown(selector: Selector, catalogue: Catalogue, own: Own) -> Iterator[str]:
    labels = _labels_of(selector.name, catalogue)
    if labels is None:
        if selector.name not in own:
            yield f"{selector.name} is no metric of dbwatch"
        return
    for matcher in selector.matchers:
        if matcher.label not in labels | INSTANCE_LABELS | SCRAPE_LABELS:
            yield f"{selector.name} has no label {matcher.label}"


def _labels_of(name: str, catalogue: Catalogue) -> frozenset[str] | None:
    """The labels of its own; None where they are not known."""
    family = family_of(name, catalogue)
    if family is None:
        return None
    is_bucket = name != family and name.endswith(PARTS[0])
    return frozenset((*catalogue.families[family].labels, *((BUCKET,) if is_bucket else ())))


def _known_labels(rule: AlertRule, catalogue: Catalogue) -> frozenset[str] | None:
    found = [_labels_of(each.name, catalogue) for each in syntax.selectors(rule.expression)]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None
    return frozenset().union(INSTANCE_LABELS, SCRAPE_LABELS, *known)


def _used_labels(rule: AlertRule) -> frozenset[str]:
    """Those that it groups, matches and tells by."""
    used: set[str] = set()
    for node in syntax.walk(rule.expression):
        if isinstance(node, syntax.Aggregation):
            used |= node.labels
        elif isinstance(node, syntax.Binary):
            used |= {*node.matching.labels, *node.matching.included}
    return frozenset(used.union(*(template.labels for template in rule.annotations.values())))


def _ill_ranged(each: RangeSelector, catalogue: Catalogue) -> Iterator[str]:
    if each.seconds > MAX_RANGE_SECONDS:
        yield f"a range of {durations.text(each.seconds)} is over {durations.text(MAX_RANGE_SECONDS)}"
    family = family_of(each.selector.name, catalogue)
    for interval, giver in _intervals(family, catalogue):
        if each.seconds < INTERVALS_IN_A_RANGE * interval:
            least = durations.text(INTERVALS_IN_A_RANGE * interval)
            yield f"a range of {durations.text(each.seconds)} is under {least}, three looks of {giver}"


def _intervals(family: str | None, catalogue: Catalogue) -> Sequence[tuple[float, str]]:
    """How often it is looked at, by whom."""
    found: Family | None = catalogue.families.get(family) if family else None
    givers: list[Collector] = [each for each in catalogue.collectors.values() if family in each.families]
    if found is None or not givers:
        return [(OWN_INTERVAL_SECONDS, "the daemon")]
    return [(each.interval_seconds, f"{each.name} of {each.engine}") for each in givers]
