"""What the watched servers of a cluster said of the same things: where a collector wants them to agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core import agreement
from dbwatch.core.model import Role
from dbwatch.core.schedule import FRESH_FOR_INTERVALS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dbwatch.core.agreement import Testimony
    from dbwatch.core.model import Collector, Facts, Rows
    from dbwatch.poller.watch import Watch


@dataclass
class Witnesses:
    """Shared by all instances: the last testimony of each, by collector and database."""

    _said: dict[tuple[str, str, str], Testimony] = field(default_factory=dict)

    def judged(self, watch: Watch, collector: Collector, facts: Facts, database: str, rows: Rows) -> tuple[Rows, str]:
        """Remember what this server says; at a primary, the rows that its standbys give too, and why there are none."""
        if collector.agree is None:
            return rows, ""
        now = watch.clock.monotonic()
        self._said[watch.name, collector.name, database] = agreement.testimony(collector.agree, rows, now)
        oldest = now - FRESH_FOR_INTERVALS * collector.interval_seconds
        standbys: dict[str, Testimony | None] = {}
        for name in _standbys(watch, facts):
            said = self._said.get((name, collector.name, database))
            standbys[name] = said if said is not None and said.taken_at >= oldest else None
        return agreement.verdict(collector.agree, rows, facts.role, standbys)

    def forget(self, instance: str, collectors: Collection[str] | None = None) -> None:
        """It is another server now, or watched no more: what these collectors (None: all) saw of it is void."""
        gone = [key for key in self._said if key[0] == instance and (collectors is None or key[1] in collectors)]
        for key in gone:
            del self._said[key]


def _standbys(watch: Watch, facts: Facts) -> Iterator[str]:
    """The other instances of the configuration that were last seen as replicas of this cluster."""
    for state in watch.store.states():
        known, name = state.facts, state.identity.db_instance
        is_kin = known is not None and known.system_identifier == facts.system_identifier
        if is_kin and known is not None and known.role is Role.REPLICA and name != watch.name:
            yield name
