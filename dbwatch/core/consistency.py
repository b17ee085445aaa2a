"""What a head says in itself, and what several heads say together: keys that do not go with each other, and families
that two collectors could feed with the same series. Pure.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from dbwatch.core.heads import TIMEOUTS
from dbwatch.core.model import Lane, Origin, Scope
from dbwatch.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dbwatch.core.model import Collector

EVERYWHERE = ("*",)
MEND = "or let both give one label, each a constant of its own (label: =constant)"


def clashes(collectors: Iterable[Collector]) -> Iterator[Fault]:
    """One Fault for each later collector that could repeat a series of an earlier one."""
    feeding: dict[tuple[str, str], list[Collector]] = {}
    for item in collectors:
        for family in sorted(item.families):
            before = feeding.setdefault((item.engine, family), [])
            same = next((other for other in before if not are_apart(item, other, family)), None)
            if same is not None:
                what = f"{family} is already given by the collector {same.name} of {item.engine}"
                yield Fault(item.path, what, f"choose another family, {MEND}")
            before.append(item)


def are_apart(one: Collector, other: Collector, family: str) -> bool:
    """Some label is a constant in both, and not the same one, whatever the rows."""
    pairs = product(_constants(one, family), _constants(other, family))
    return all(any(theirs.get(label, own) != own for label, own in ours.items()) for ours, theirs in pairs)


def _constants(collector: Collector, family: str) -> list[dict[str, str]]:
    columns = [column for column in collector.metrics if column.family == family]
    return [{label: source for label, source in column.labels if source.startswith("=")} for column in columns]


def combinations(item: Collector) -> list[Fault]:
    """Keys of one head that do not go together."""
    return [Fault(item.path, what, mend) for is_wrong, what, mend in _combined(item) if is_wrong]


def _combined(item: Collector) -> Iterator[tuple[bool, str, str]]:
    """Keys of a head that do not go together: whether they stand so, what is wrong, how to mend it."""
    in_databases = item.scope is Scope.DATABASE
    not_slow = in_databases and item.lane not in (Lane.SLOW, Lane.HEAVY)
    yield not_slow, "scope database needs the lane slow or heavy", "a login a database is not fast"
    too_long = item.lane is Lane.FAST and item.timeout_seconds > TIMEOUTS[Lane.FAST]
    yield too_long, "timeout: the lane fast gives one second at most", "say `lane: slow`: others wait behind it"
    yield in_databases and item.source is Origin.HOST, "source host needs the scope instance", "there is one machine"
    aimless = item.databases != EVERYWHERE and not in_databases
    yield aimless, "databases needs the scope database", "say `scope: database` and `lane: slow`"
