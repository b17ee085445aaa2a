"""One look at all rules: values in, alerts out."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from dbwatch.alerts.judging import Judge, Seen
from dbwatch.alerts.unchanged import Unchanged
from dbwatch.alerts.values import Reader, present, wanted
from dbwatch.core import rules as core_rules
from dbwatch.core.alerting.states import advance, removed
from dbwatch.core.promql import Ring, Sample, evaluate
from dbwatch.core.promql.syntax import is_local, is_timeless, selectors
from dbwatch.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dbwatch.alerts.values import OwnSamples, Taken, Wanted
    from dbwatch.core.alerting.model import Alert
    from dbwatch.core.promql import Selector, Source
    from dbwatch.core.rules import AlertRule, Feed, WhereItRuns
    from dbwatch.store import Store

    Alerts = Mapping[str, Alert]

log = structlog.get_logger()


BATCH = 4  # instances whose samples are in memory at one time
PAUSE_COSTS = 4  # after a batch rest for four times what it took: polls need many turns of the event loop
PAUSES_SHARE = 0.5  # of the interval, for all pauses together
BATCHED_BY = "db_instance"


@dataclass(frozen=True, slots=True)
class RunningRule:
    """A rule, who feeds it, whether it can be evaluated for a few instances at a time, and how far it looks back.

    `reads`: the names that its result depends upon, where it depends on nothing else, such as the time.
    """

    rule: AlertRule
    feeds: tuple[Feed, ...]
    is_local: bool
    range_seconds: float
    reads: frozenset[str]

    @classmethod
    def of(cls, judged: WhereItRuns) -> RunningRule:
        rule = judged.rule
        range_seconds = max((each.seconds for each in core_rules.ranges([rule])), default=0.0)
        reads = {each.name for each in selectors(rule.expression)} if is_timeless(rule.expression) else ()
        return cls(rule, judged.feeds, is_local(rule.expression, BATCHED_BY), range_seconds, frozenset(reads))


class Ruling:
    """Evaluates the rules; what ranges look back upon outlives a change of the rules."""

    def __init__(self, store: Store, own: OwnSamples) -> None:
        self._store = store
        self._reader = Reader(store, own)
        self._running: tuple[RunningRule, ...] = ()
        self._ring = Ring(())
        self._unchanged = Unchanged()
        self._wanted: Wanted = {}  # by the rules that are evaluated in batches, and by all ranges
        self._wanted_of_all: Wanted = {}  # by the rules that must see all instances
        self.failures: Counter[str] = Counter()
        self.failing: dict[str, str] = {}  # those that could not be evaluated at the last look, and why
        self.left_out: dict[str, str] = {}  # those that cannot run here, and why
        self.dropped_range_series = 0
        self._pauses_seconds = 0.0

    @property
    def count(self) -> int:
        return len(self._running)

    def become(self, judged: Sequence[WhereItRuns]) -> None:
        """Evaluate these from now on: those that can run here."""
        for each in judged:
            if not each.in_daemon:
                log.warning("rule_left_out", rule=each.rule.name, path=each.rule.path, problem=each.faults[0])
        self.left_out = {each.rule.name: each.faults[0] for each in judged if not each.in_daemon}
        self._running = tuple(RunningRule.of(each) for each in judged if each.in_daemon)
        ring = Ring(core_rules.ranges(each.rule for each in self._running))
        ring.adopt(self._ring)
        self._ring = ring
        self._unchanged = Unchanged()
        self._wanted = wanted([*self._selectors(is_local=True), *ring.selectors])
        self._wanted_of_all = wanted(self._selectors(is_local=False))
        self.failures = Counter({each.rule.name: self.failures[each.rule.name] for each in self._running})
        self.failing.clear()

    def _selectors(self, *, is_local: bool) -> list[Selector]:
        chosen = [each.rule.expression for each in self._running if each.is_local is is_local]
        return [selector for expression in chosen for selector in selectors(expression)]

    async def look(
        self, known: Alerts, now: float, age_seconds: float, interval_seconds: float = 0.0
    ) -> dict[str, Alert]:
        """The alerts after this step. A rule that cannot be evaluated keeps its own as they were, and is told.

        The event loop gets its turn after each batch of instances, and after each rule that must see all of them; many
        instances are looked at over a part of the interval.
        """
        running, found, seen = self._running, _Found(), Seen.of(self._store)
        self._pauses_seconds = PAUSES_SHARE * interval_seconds
        await self._look_at_batches([each for each in running if each.is_local], now, found)
        await self._look_at_all([each.rule for each in running if not each.is_local], now, found)
        by_rule: dict[str, dict[str, Alert]] = {}
        for mark, alert in known.items():
            by_rule.setdefault(alert.name, {})[mark] = alert
        result: dict[str, Alert] = {}
        for each in running:
            judge = Judge(self._store, seen, each.feeds, age_seconds, each.range_seconds)
            result |= self._advanced(each.rule, by_rule.pop(each.rule.name, {}), found, now, judge)
            await asyncio.sleep(0)
        for left in by_rule.values():
            result |= removed(left, now)
        return result

    async def _look_at_batches(self, rules: Sequence[RunningRule], now: float, found: _Found) -> None:
        """All ranges are fed here: those of the other rules too."""
        ring, places = self._ring, self._reader.places()
        ring.begin(now)
        for start in range(0, len(places), BATCH):
            batch = places[start : start + BATCH]
            began = asyncio.get_running_loop().time()
            taken = self._reader.read(batch, self._wanted)
            seen = _Batch(batch[0], taken, present(taken, ring, batch))
            ring.add(seen.source.instant)
            for rule in rules:
                await self._evaluate(rule, seen, now, found)
            await self._rest(asyncio.get_running_loop().time() - began, batches=len(places) / BATCH)
        ring.end()
        self.dropped_range_series += ring.dropped_series

    async def _evaluate(self, running: RunningRule, batch: _Batch, now: float, found: _Found) -> None:
        """Much data is gone through in a thread: it takes a third of a second, in which scrapes must be answered."""
        rule, inputs = running.rule, batch.taken.inputs(running.reads)
        result = self._unchanged.result(rule.name, batch.first, inputs) if inputs else None
        if result is not None:
            found.vectors[rule.name] += result
            return
        if inputs is None:
            found.evaluate(rule, batch.source, now)
        else:
            result = await asyncio.to_thread(found.evaluate, rule, batch.source, now)
        self._unchanged.keep(rule.name, batch.first, inputs, result)

    async def _rest(self, cost_seconds: float, batches: float) -> None:
        await asyncio.sleep(min(PAUSE_COSTS * cost_seconds, self._pauses_seconds / batches) if batches > 1 else 0)

    async def _look_at_all(self, rules: Sequence[AlertRule], now: float, found: _Found) -> None:
        """What they read is read once for all of them."""
        source = present(self._reader.read(self._reader.places(), self._wanted_of_all), self._ring)
        for rule in rules:
            found.evaluate(rule, source, now)
            await asyncio.sleep(0)

    def _advanced(self, rule: AlertRule, known: Alerts, found: _Found, now: float, judge: Judge) -> Alerts:
        judges = {"can_judge": judge.can_judge, "can_measure": judge.can_measure}
        problem = found.problems.get(rule.name, "")
        try:
            after = advance(rule, known, found.vectors[rule.name], now, expand=core_rules.expand, **judges)
        except EvaluationError as error:
            problem = problem or str(error)
        if problem:
            self._failed(rule.name, problem)
            return known
        if self.failing.pop(rule.name, None) is not None:
            log.info("rule_recovered", rule=rule.name)
        return after

    def _failed(self, name: str, problem: str) -> None:
        self.failures[name] += 1
        if name not in self.failing:
            log.error("rule_failed", rule=name, problem=problem)
        self.failing[name] = problem


@dataclass(frozen=True, slots=True)
class _Batch:
    """A few instances: the first one's name, and what is seen of all of them."""

    first: str
    taken: Taken
    source: Source


class _Found:
    """What the expressions gave at one step, by rule."""

    def __init__(self) -> None:
        self.vectors: defaultdict[str, list[Sample]] = defaultdict(list)
        self.problems: dict[str, str] = {}

    def evaluate(self, rule: AlertRule, source: Source, now: float) -> Sequence[Sample] | None:
        """What it adds; None and a problem where it cannot be evaluated."""
        try:
            value = evaluate(rule.expression, source, now)
        except EvaluationError as error:
            self.problems[rule.name] = str(error)
            return None
        vector = value if isinstance(value, list) else [Sample({}, value)]
        self.vectors[rule.name] += vector
        return vector
