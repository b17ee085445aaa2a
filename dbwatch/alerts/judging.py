"""Whether an alert that is not true any more has ended, or only cannot be judged: who was asked since our start?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.core.schedule import FRESH_FOR_INTERVALS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dbwatch.core.rules import Feed
    from dbwatch.store import CollectorStatus, InstanceState, Store

GRACE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Judge:
    """For one rule, which these collectors feed. `age_seconds`: since when this process looks."""

    store: Store
    feeds: Sequence[Feed]
    age_seconds: float

    def can_judge(self, labels: Mapping[str, str]) -> bool:
        """Not before its instance was asked what the rule reads: a restart resolves nothing by itself.

        What fails on and on since the start is judged after the time for which a value may be kept.
        """
        state = self._state(labels)
        if state is None:
            return True
        if state.up is None:
            return False
        return not state.up or all(self._was_asked(state, feed) for feed in self._collectors(state))

    def can_measure(self, labels: Mapping[str, str]) -> bool:
        """Whether its instance gives now what the rule reads."""
        if "db_instance" not in labels:
            return True
        state = self._state(labels)
        if state is None:
            return False
        collectors = self._collectors(state)
        return not collectors or (bool(state.up) and all(self._is_there(state, feed) for feed in collectors))

    def _state(self, labels: Mapping[str, str]) -> InstanceState | None:
        try:
            return self.store.state(labels.get("db_instance", ""))
        except KeyError:
            return None

    def _collectors(self, state: InstanceState) -> list[Feed]:
        return [feed for feed in self.feeds if feed.collector and feed.engine == state.identity.engine]

    def _was_asked(self, state: InstanceState, feed: Feed) -> bool:
        status = state.collectors.get(feed.collector)
        if status is None or status.skipped or status.last_success_at is not None:
            return True
        return self.age_seconds > FRESH_FOR_INTERVALS * _interval(status, feed) + GRACE_SECONDS

    def _is_there(self, state: InstanceState, feed: Feed) -> bool:
        return self.store.snapshot(state.identity.db_instance, feed.collector) is not None


def _interval(status: CollectorStatus, feed: Feed) -> float:
    return max(status.interval_seconds, feed.interval_seconds)
