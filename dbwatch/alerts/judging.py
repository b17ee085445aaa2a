"""Whether an alert that is not true any more has ended, or only cannot be judged: who was asked since our start?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.schedule import FRESH_FOR_INTERVALS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dbwatch.core.model import Snapshot
    from dbwatch.core.rules import Feed
    from dbwatch.store import InstanceState, Store

GRACE_SECONDS = 60.0
COLLECTOR = "collector"


@dataclass(frozen=True, slots=True)
class Seen:
    """What stood in the store before a look began: what comes while it goes on was not read by all rules."""

    states: Mapping[str, InstanceState]
    snapshots: Mapping[str, Sequence[Snapshot]]

    @classmethod
    def of(cls, store: Store) -> Seen:
        states = {state.identity.db_instance: state for state in store.states()}
        return cls(states, {name: store.snapshots(name) for name in states})


@dataclass(frozen=True, slots=True)
class Judge:
    """For one rule, which these feed, and which looks back so far. `age_seconds`: since when this process looks."""

    store: Store
    seen: Seen
    feeds: Sequence[Feed]
    age_seconds: float
    range_seconds: float = 0.0

    def can_judge(self, labels: Mapping[str, str]) -> bool:
        """Not before what the rule reads was asked for: a restart resolves nothing by itself.

        Of an alert that names no instance, every one may have a part. What is not there since the start is judged
        after the time for which a value may be kept.
        """
        name = labels.get("db_instance")
        if name is not None and name not in self.seen.states:
            return True
        states = list(self.seen.states.values()) if name is None else [self.seen.states[name]]
        if self.age_seconds < self.range_seconds or any(state.up is None for state in states):
            return False
        asked = all(self._was_asked(state, feed, labels) for state in states for feed in self._feeds(state))
        return asked and all(self._was_long_enough(feed.interval_seconds) for feed in self._ours(name))

    def can_measure(self, labels: Mapping[str, str]) -> bool:
        """Whether its instance gives now what the rule reads."""
        if "db_instance" not in labels:
            return True
        state = self._state(labels)
        if state is None:
            return False
        collectors = [feed for feed in self._feeds(state) if feed.collector]
        return not collectors or (bool(state.up) and all(self._is_there(state, feed) for feed in collectors))

    def _state(self, labels: Mapping[str, str]) -> InstanceState | None:
        try:
            return self.store.state(labels.get("db_instance", ""))
        except KeyError:
            return None

    def _feeds(self, state: InstanceState) -> list[Feed]:
        """Those that give something of this instance."""
        of_engine = [feed for feed in self.feeds if feed.engine in ("", state.identity.engine)]
        return [feed for feed in of_engine if feed.family in self.store.families]

    def _ours(self, instance: str | None) -> list[Feed]:
        """What the process says of itself: some of it comes only with the first mail, push or heartbeat."""
        return [] if instance else [feed for feed in self.feeds if feed.family not in self.store.families]

    def _was_asked(self, state: InstanceState, feed: Feed, labels: Mapping[str, str]) -> bool:
        if feed.collector:
            return self._has_answered(state, feed.collector, feed.interval_seconds)
        is_told = any(block.family == feed.family for each in self._snapshots(state) for block in each.blocks)
        if not is_told and not self._was_long_enough(feed.interval_seconds):
            return False
        return COLLECTOR not in labels or self._has_run(state, labels[COLLECTOR])

    def _snapshots(self, state: InstanceState) -> Sequence[Snapshot]:
        return self.seen.snapshots[state.identity.db_instance]

    def _has_answered(self, state: InstanceState, collector: str, interval_seconds: float) -> bool:
        status = state.collectors.get(collector)
        if status is None or status.skipped or status.last_success_at is not None:
            return True
        return self._was_long_enough(max(status.interval_seconds, interval_seconds))

    def _has_run(self, state: InstanceState, collector: str) -> bool:
        """Whether there is something to say of it: that it fails is something."""
        status = state.collectors.get(collector)
        is_known = status is None or status.skipped or status.succeeded is not None
        return bool(is_known) or self._has_answered(state, collector, 0.0)

    def _was_long_enough(self, interval_seconds: float) -> bool:
        return self.age_seconds > FRESH_FOR_INTERVALS * interval_seconds + GRACE_SECONDS

    def _is_there(self, state: InstanceState, feed: Feed) -> bool:
        return self.store.snapshot(state.identity.db_instance, feed.collector) is not None
