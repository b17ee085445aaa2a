"""What is known of one instance while it is watched: the one place that changes its state, logs it and publishes it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from dbwatch.core import durations
from dbwatch.core.exposition import Renderer
from dbwatch.core.mapping import Mapper
from dbwatch.core.model import Snapshot
from dbwatch.core.schedule import FRESH_FOR_INTERVALS
from dbwatch.errors import EngineError, Reason
from dbwatch.poller import advice, asking, self_metrics
from dbwatch.poller.naming import address, identity
from dbwatch.poller.outcome import KEEPS_LAST_VALUE, lines_of, publishing_interval, without
from dbwatch.store import CollectorStatus, InstanceState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dbwatch.clock import Clock
    from dbwatch.core.catalogue import Catalogue
    from dbwatch.core.model import Collector, Facts
    from dbwatch.poller.outcome import Outcome
    from dbwatch.settings.models import Instance
    from dbwatch.store import Store

log = structlog.get_logger()

PAGE_LABELS = frozenset({"env", "service", "team"})


class Watch:
    """The state of one instance; lanes and probe report to it."""

    def __init__(
        self,
        instance: Instance,
        *,
        catalogue: Catalogue,
        collectors: tuple[Collector, ...],
        store: Store,
        clock: Clock,
        in_maintenance: Callable[[str], bool],
    ) -> None:
        self.instance = instance
        self.catalogue = catalogue
        self.collectors = collectors
        self.clock = clock
        self.store = store
        self.renderer = Renderer(instance.identity)
        self.measures = self_metrics.Measures()
        self.reached = asyncio.Event()  # set while the last login succeeded: lanes connect only then
        self.look_again = asyncio.Event()  # set by a lane that lost its session: probe now
        self.changed = asyncio.Event()  # set and replaced whenever role, version or start time changed
        self.generation = 0  # how often they, or our rights, did
        self._missed: set[str] = set()  # collectors that fail only because nobody can log in
        self._rights: int | None = None  # a hash: the text holds more than anybody should keep
        self._in_maintenance = in_maintenance
        extra = {name: text for name, text in instance.labels.model_dump().items() if name not in PAGE_LABELS}
        self.state = InstanceState(instance.identity, address(instance), labels=extra, collectors=self._statuses())
        store.put_state(self.state)

    @property
    def name(self) -> str:
        return self.instance.name

    @property
    def facts(self) -> Facts | None:
        return self.state.facts

    def _statuses(self) -> dict[str, CollectorStatus]:
        return {
            collector.name: CollectorStatus(
                collector.name,
                collector.lane.value,
                publishing_interval(collector, self.instance),
                skipped="" if collector.enabled else "disabled",
            )
            for collector in self.collectors
        }

    def mapper(self, collector: Collector, database: str | None = None) -> Mapper:
        """A mapper of this collector for this instance, or for one database of it."""
        return Mapper(
            collector,
            self.catalogue.families,
            constants={"database": database} if database is not None else None,
            accounts=self.instance.named_accounts,
            applications=frozenset(self.instance.applications),
        )

    # --- logins ---

    def login_succeeded(self, phases: Mapping[str, float], ping_seconds: float, not_after: float | None) -> None:
        for phase, seconds in phases.items():
            self.measures.login(phase, seconds)
        self.measures.pings.observe(ping_seconds)
        now = self.clock.time()
        if not self.state.up:
            log.info("instance_up", instance=self.name, after=self._down_for(now))
            self._set(up=True, since=now, reason=None, message="", remedy="")
        self._set(checked_at=now, certificate_not_after=not_after)
        self.reached.set()
        self.publish()

    def _down_for(self, now: float) -> str:
        return durations.text(now - self.state.since) if self.state.since and self.state.up is False else "start"

    def login_failed(self, error: EngineError) -> None:
        now = self.clock.time()
        if self.state.up is not False or self.state.reason is not error.reason:
            log.warning("instance_down", instance=self.name, reason=error.reason, message=error.message)
        since = self.state.since if self.state.up is False else now
        self._set(
            up=False, since=since, checked_at=now, reason=error.reason, message=error.message, remedy=advice.of(error)
        )
        self.reached.clear()
        self.publish()

    def login_refused(self, error: EngineError) -> None:
        """A lane's own login failed: where the account is refused nobody else tries, lest it gets locked."""
        if error.reason is Reason.AUTH:
            self.login_failed(error)

    def may_log_in(self) -> None:
        """Raise the probe's last error while no login succeeds: a refused account must not be tried by every lane."""
        if not self.reached.is_set():
            raise self._unreached()

    def _unreached(self) -> EngineError:
        return EngineError(self.state.reason or Reason.LOST, self.state.message or "not probed yet")

    # --- facts ---

    def learned(self, facts: Facts, asked_at: float) -> None:
        """New facts from a lane; a restart, a failover or an upgrade ends every series of before at once."""
        if facts.clock is not None:
            self.measures.clock_offset_seconds = facts.clock - (asked_at + self.clock.time()) / 2
        before = self.facts
        self.met(facts)
        self._set(facts=facts)
        if before is not None and facts.databases:
            self._forget_databases(before.databases - facts.databases)

    def _forget_databases(self, dropped: Collection[str]) -> None:
        """A dropped database ends at once, in every family that names it."""
        for before in self.store.snapshots(self.name) if dropped else ():
            after = without(before, dropped)
            if after is not before:
                self.store.put(after, lines_of(self.renderer, after.collector, after.blocks))

    def met(self, facts: Facts) -> None:
        """Whoever first gets an answer from another server than before ends what was said of that one."""
        before = self.facts
        if before is None or identity(before) == identity(facts):
            return
        log.warning("instance_changed", instance=self.name, was=identity(before), now=identity(facts))
        self._set(facts=facts)
        for collector in self.collectors:
            self.store.remove(self.name, collector.name)
            self.renderer.forget(collector.name)
        self._begin_anew()

    def may(self, rights: object) -> None:
        """What our account may do, as a fresh login tells; when it changed, every session is opened anew."""
        before, self._rights = self._rights, hash(rights)
        if before not in (None, self._rights):
            log.info("privileges_changed", instance=self.name)
            self._begin_anew()

    def _begin_anew(self) -> None:
        self.generation += 1
        self.changed.set()
        self.changed = asyncio.Event()

    # --- collectors ---

    def succeeded(self, collector: Collector, outcome: Outcome) -> None:
        """A run gave blocks; `outcome.error` tells of the databases that gave nothing this time."""
        tally = self.measures.tally(collector.name)
        tally.dropped += outcome.dropped
        tally.missing = ()
        known = self.store.snapshot(self.name, collector.name)
        if outcome.dropped and not (known and known.dropped):
            log.warning("series_dropped", instance=self.name, collector=collector.name, series=outcome.dropped)
        self.store.put(self._snapshot(collector.name, outcome), outcome.lines)
        before = self.state.collectors[collector.name]
        status = replace(
            before,
            succeeded=outcome.error is None,
            last_success_at=self.clock.time() if outcome.error is None else before.last_success_at,
            seconds=outcome.seconds,
            series=sum(map(len, outcome.blocks)),
            interval_seconds=outcome.interval_seconds,
            reason=outcome.error.reason if outcome.error else None,
            message=outcome.error.message if outcome.error else outcome.note,
            remedy=advice.of_collector(outcome.error) if outcome.error else "",
            skipped="",
        )
        if outcome.error is not None:
            self._note_error(collector.name, outcome.error)
        elif before.succeeded is False and collector.name not in self._missed:
            log.info("collector_recovered", instance=self.name, collector=collector.name)
        self._missed.discard(collector.name)
        self._status(status)

    def failed(self, collector: Collector, error: EngineError, seconds: float | None, interval_seconds: float) -> None:
        """A run gave nothing."""
        self._note_error(collector.name, error)
        self._gave_nothing(collector, error, seconds, interval_seconds)

    def missed(self, collector: Collector, interval_seconds: float) -> None:
        """Its turn came while nobody can log in: no error of its own, and the log has told why; but no success."""
        if self.state.collectors[collector.name].succeeded:
            self._missed.add(collector.name)
            self._gave_nothing(collector, self._unreached(), None, interval_seconds)

    def _gave_nothing(
        self, collector: Collector, error: EngineError, seconds: float | None, interval_seconds: float
    ) -> None:
        if error.reason not in KEEPS_LAST_VALUE:
            self.store.remove(self.name, collector.name)
        status = self.state.collectors[collector.name]
        snapshot = self.store.snapshot(self.name, collector.name)
        self._status(
            replace(
                status,
                succeeded=False,
                seconds=seconds,
                interval_seconds=interval_seconds,
                reason=error.reason,
                message=error.message,
                remedy=advice.of_collector(error),
                skipped="",
                series=snapshot.series if snapshot else 0,
            )
        )

    def lacks(self, collector: Collector, facts: Facts, missing: tuple[str, ...]) -> None:
        """A privilege is not proven: the collector is not asked, and its series end now."""
        self.measures.tally(collector.name).missing = missing
        text = f"our account lacks {', '.join(missing)}"
        interval = publishing_interval(collector, self.instance)
        self.failed(collector, EngineError(Reason.PERMISSION, text), None, interval)
        remedy = asking.remedy(self.catalogue, collector, facts, self.instance.monitor.user)
        self._status(replace(self.state.collectors[collector.name], remedy=remedy))

    def skipped(self, collector: Collector, reason: str) -> None:
        """Left out on purpose: not for this version or role."""
        tally = self.measures.tally(collector.name)
        tally.skipped[reason] += 1
        tally.missing = ()
        self.store.remove(self.name, collector.name)
        status = self.state.collectors[collector.name]
        self._status(replace(status, succeeded=None, reason=None, message="", remedy="", series=0, skipped=reason))

    def _note_error(self, collector: str, error: EngineError) -> None:
        """Transitions are logged, repetitions are counted."""
        status = self.state.collectors[collector]
        if status.succeeded is not False or status.reason is not error.reason:
            log.warning(
                "collector_failed", instance=self.name, collector=collector, reason=error.reason, message=error.message
            )
        self.measures.tally(collector).errors[error.reason] += 1

    def _snapshot(self, collector: str, outcome: Outcome) -> Snapshot:
        expires_at = self.clock.monotonic() + FRESH_FOR_INTERVALS * outcome.interval_seconds
        return Snapshot(
            self.name,
            collector,
            self.clock.time(),
            outcome.seconds,
            tuple(outcome.blocks),
            expires_at=expires_at,
            dropped=outcome.dropped,
        )

    # --- publishing ---

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def _status(self, status: CollectorStatus) -> None:
        self._set(collectors={**self.state.collectors, status.name: status})

    def publish(self) -> None:
        """Put the state and the self-metrics where the page reads them."""
        self._set(in_maintenance=self._in_maintenance(self.name))
        self.store.put_state(self.state)
        blocks = self_metrics.blocks(self.state, self.measures)
        lines = lines_of(self.renderer, self_metrics.COLLECTOR, blocks)
        snapshot = Snapshot(self.name, self_metrics.COLLECTOR, self.clock.time(), 0.0, tuple(blocks))
        self.store.put(snapshot, lines)
