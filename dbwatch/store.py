"""The latest snapshot of every (instance, collector), its rendered lines, and what a page says of an instance.

One writer at a time (the event loop) swaps whole values; readers see the old value or the new one, never a mixture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core import exposition

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from dbwatch.core.model import Facts, Family, Identity, Reason, Snapshot

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CollectorStatus:
    """How one collector of one instance fares, for the page, doctor and `check`. Times are Unix seconds."""

    name: str
    lane: str
    interval_seconds: float
    succeeded: bool | None = None  # None: has not run, or is left out
    last_success_at: float | None = None
    seconds: float | None = None  # of its last run; None: it never ran, or could not be asked
    series: int = 0
    reason: Reason | None = None
    message: str = ""
    remedy: str = ""
    skipped: str = ""  # role, version, disabled, remote: left out on purpose


@dataclass(frozen=True, slots=True)
class InstanceState:
    """What is known of an instance beside its samples. `since` is when `up` last changed."""

    identity: Identity
    address: str = ""
    up: bool | None = None  # None: not probed yet
    certificate_not_after: float | None = None  # of the last login that worked; None: without TLS
    since: float | None = None
    checked_at: float | None = None
    reason: Reason | None = None
    message: str = ""
    remedy: str = ""
    facts: Facts | None = None
    in_maintenance: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    collectors: Mapping[str, CollectorStatus] = field(default_factory=dict)


class Store:
    """Holds what was seen; `on_change` is called after every change, and must only set a flag."""

    def __init__(self, families: Mapping[str, Family]) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._families = families
        self._states: dict[str, InstanceState] = {}
        self._snapshots: dict[str, dict[str, Snapshot]] = {}  # by instance, by collector
        self._series = 0
        self._lines: dict[str, dict[Key, tuple[bytes, ...]]] = {}

    @property
    def families(self) -> Mapping[str, Family]:
        return self._families

    @families.setter
    def families(self, families: Mapping[str, Family]) -> None:
        """A reload may bring other families; lines of families that are gone go with them."""
        self._families = families
        self._lines = {name: lines for name, lines in self._lines.items() if name in families}

    def put(self, snapshot: Snapshot, lines: Mapping[str, tuple[bytes, ...]]) -> None:
        """Replace what this collector gave: `lines` is its rendered text by family, in pieces."""
        key = (snapshot.instance, snapshot.collector)
        before = self.snapshot(*key)
        if before is not None:
            self._series -= before.series
            self._drop_lines(key, {block.family for block in before.blocks} - lines.keys())
        self._snapshots.setdefault(snapshot.instance, {})[snapshot.collector] = snapshot
        self._series += snapshot.series
        for family, text in lines.items():
            self._lines.setdefault(family, {})[key] = text
        self.on_change()

    def remove(self, instance: str, collector: str) -> None:
        """Forget what a collector gave: its series end now."""
        snapshot = self._snapshots.get(instance, {}).pop(collector, None)
        if snapshot is not None:
            self._series -= snapshot.series
            self._drop_lines((instance, collector), {block.family for block in snapshot.blocks})
            self.on_change()

    def forget(self, instance: str) -> None:
        """Forget an instance whole."""
        for collector in list(self._snapshots.get(instance, ())):
            self.remove(instance, collector)
        self._snapshots.pop(instance, None)
        if self._states.pop(instance, None) is not None:
            self.on_change()

    def expire(self, now: float) -> list[Key]:
        """Drop what is older than it may be; return what was dropped."""
        stale = [
            (snapshot.instance, snapshot.collector)
            for collected in self._snapshots.values()
            for snapshot in collected.values()
            if snapshot.expires_at <= now
        ]
        for key in stale:
            self.remove(*key)
        return stale

    def _drop_lines(self, key: Key, families: Collection[str]) -> None:
        for family in families:
            self._lines.get(family, {}).pop(key, None)

    def put_state(self, state: InstanceState) -> None:
        self._states[state.identity.db_instance] = state
        self.on_change()

    def state(self, instance: str) -> InstanceState:
        """Raise KeyError where no such instance is configured."""
        return self._states[instance]

    def states(self) -> list[InstanceState]:
        """Every configured instance, by name."""
        return [self._states[name] for name in sorted(self._states)]

    def snapshot(self, instance: str, collector: str) -> Snapshot | None:
        return self._snapshots.get(instance, {}).get(collector)

    def snapshots(self, instance: str) -> list[Snapshot]:
        return list(self._snapshots.get(instance, {}).values())

    def samples(self, instance: str, family: str) -> list[tuple[dict[str, str], float]]:
        """Every sample of a family that an instance has now, as values."""
        blocks = (block for snapshot in self.snapshots(instance) for block in snapshot.blocks)
        return [sample for block in blocks if block.family == family for sample in block.samples()]

    def series(self) -> int:
        return self._series

    def page(
        self,
        *,
        openmetrics: bool = False,
        instances: Collection[str] = (),
        collectors: Collection[str] = (),
    ) -> Iterator[bytes]:
        """The text of all families in chunks, one block a family; without the end mark of OpenMetrics."""
        everything = not instances and not collectors
        for name in sorted(self._lines):
            lines = self._lines[name]
            chosen = lines.values() if everything else self._chosen(lines, instances, collectors)
            if chosen:
                yield exposition.header(self._families[name], openmetrics=openmetrics)
                for pieces in chosen:
                    yield from pieces

    @staticmethod
    def _chosen(
        lines: Mapping[Key, tuple[bytes, ...]], instances: Collection[str], collectors: Collection[str]
    ) -> Collection[tuple[bytes, ...]]:
        return [
            text
            for (instance, collector), text in lines.items()
            if (not instances or instance in instances) and (not collectors or collector in collectors)
        ]
