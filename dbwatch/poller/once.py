"""Poll one instance once, without a daemon: for `ask`, `doctor` and `check --direct`.

Sequential, one session at a time, each question within its own deadline; a session that broke is replaced, and none
is left open.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dbwatch.clock import SystemClock
from dbwatch.core import agreement, mapping
from dbwatch.core.model import Lane, Scope
from dbwatch.errors import EngineError, Reason, UsageError
from dbwatch.host.machine import Machine
from dbwatch.poller import advice, asking, self_metrics
from dbwatch.poller.login import PHASE
from dbwatch.poller.naming import address
from dbwatch.poller.poller import configured
from dbwatch.store import CollectorStatus, InstanceState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dbwatch.clock import Clock
    from dbwatch.core.catalogue import Catalogue
    from dbwatch.core.model import Block, Collector, Facts, Question, Rows
    from dbwatch.engines.base import Engine, Session
    from dbwatch.settings.models import Instance

LANES = (Lane.FAST, Lane.SAMPLER, Lane.SLOW, Lane.HEAVY)
SAMPLE_SECONDS = 1.0  # what the one sample of an integrating collector stands for


@dataclass(frozen=True, slots=True)
class Target:
    """One instance and what it takes to ask it."""

    instance: Instance
    engine: Engine
    catalogue: Catalogue
    clock: Clock = field(default_factory=SystemClock)
    most_databases: int | None = None  # of those that collectors are asked in one by one; None: all


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll told: the state as the page shows it, and the samples by collector."""

    state: InstanceState
    blocks: Mapping[str, tuple[Block, ...]] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)  # series over a collector's budget

    @property
    def all_blocks(self) -> list[Block]:
        return [block for blocks in self.blocks.values() for block in blocks]


@dataclass(frozen=True, slots=True)
class Run:
    """What one collector gave, and how many series of it were left out."""

    status: CollectorStatus
    blocks: tuple[Block, ...] = ()
    dropped: int = 0


def chosen(target: Target, names: Sequence[str] = (), *, heavy: bool = False) -> list[Collector]:
    """The collectors named (enabled or not), else the enabled ones, with or without the heavy. Raise UsageError."""
    known = configured(target.catalogue, target.instance)
    unknown = sorted(set(names) - {each.name for each in known})
    if unknown:
        raise UsageError(f"no collector {unknown[0]!r} for {target.engine.name}: see dbwatch collectors")
    lanes = LANES if heavy else LANES[:-1]
    picked = [each for each in known if (each.name in names if names else each.enabled and each.lane in lanes)]
    return sorted(picked, key=lambda each: (each.scope is Scope.DATABASE, LANES.index(each.lane), each.name))


async def poll_once(target: Target, names: Sequence[str] = (), *, with_heavy: bool = False) -> Poll:
    """Log in, learn the facts, prove the privileges, and run the collectors. Raise UsageError only.

    `with_heavy`: of the heavy ones too it is said what they lack; they are not run.
    """
    collectors = chosen(target, names, heavy=with_heavy)
    async with aclosing(_Visit(target, unasked=frozenset({Lane.HEAVY}) if with_heavy else frozenset())) as visit:
        try:
            await visit.begin(collectors)
        except EngineError as error:
            return _down(target, error)
        runs = [await visit.run(collector) for collector in collectors if collector.scope is Scope.INSTANCE]
        runs += await visit.run_in_databases([each for each in collectors if each.scope is Scope.DATABASE])
        return _told(visit, runs)


async def ask_once(target: Target, question: Question) -> Rows:
    """Ask one question of sql/<engine>/jobs on a session of its own. Raise EngineError."""
    async with aclosing(_Visit(target)) as visit:
        await visit.begin(())
        await visit.prove(question)
        return await asking.ask(await visit.session(Lane.FAST), question, visit.facts)


def _down(target: Target, error: EngineError) -> Poll:
    state = InstanceState(
        target.instance.identity,
        address(target.instance),
        up=False,
        checked_at=target.clock.time(),
        reason=error.reason,
        message=error.message,
        remedy=advice.once(error),
    )
    return Poll(state, {self_metrics.COLLECTOR: tuple(self_metrics.blocks(state, self_metrics.Measures()))})


def _told(visit: _Visit, runs: Iterable[Run]) -> Poll:
    runs = list(runs)
    target = visit.target
    statuses = {run.status.name: run.status for run in runs}
    state = InstanceState(
        target.instance.identity,
        address(target.instance),
        up=True,
        checked_at=target.clock.time(),
        facts=visit.facts,
        collectors=statuses,
        certificate_not_after=visit.not_after,
    )
    blocks = {run.status.name: run.blocks for run in runs if run.blocks}
    own = tuple(self_metrics.blocks(state, visit.measures))
    dropped = {run.status.name: run.dropped for run in runs if run.dropped}
    return Poll(state, {self_metrics.COLLECTOR: own, **blocks}, dropped)


class _Visit:
    """One visit of an instance: at most one session is open at any instant."""

    def __init__(self, target: Target, unasked: frozenset[Lane] = frozenset()) -> None:
        self.target = target
        self._unasked = unasked
        self.measures = self_metrics.Measures()
        self.facts: Facts
        self.not_after: float | None = None  # of the certificate that the server showed
        self._machine = Machine()
        self._session: Session | None = None
        self._place: tuple[Lane, str | None] | None = None

    async def aclose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def session(self, lane: Lane, database: str | None = None) -> Session:
        """The open session, unless it broke or is another lane's or database's. Raise EngineError."""
        if self._session is None or self._session.broken or self._place != (lane, database):
            await self.aclose()
            self._session = await self.target.engine.connect(self.target.instance, lane, database=database)
            self._place = (lane, database)
        return self._session

    async def begin(self, collectors: Iterable[Collector]) -> None:
        """Measure the login and a ping, learn who answers and what we may see. Raise EngineError."""
        clock, target = self.target.clock.monotonic, self.target
        started = clock()
        session = await self.session(Lane.FAST)
        logged_in = clock()
        self.measures.login(PHASE, logged_in - started)
        self.not_after = session.certificate_not_after
        await session.ping()
        self.measures.pings.observe(clock() - logged_in)
        self.facts = await asking.read_facts(target.engine, target.catalogue, session)
        probes = asking.needed_probes(target.catalogue, collectors)
        self.facts = await asking.prove(session, self.facts, probes)

    async def prove(self, question: Question) -> None:
        """Raise EngineError with the GRANT where the question needs a privilege that we lack."""
        probes = [self.target.catalogue.probes[self.target.engine.name, need] for need in question.needs]
        self.facts = await asking.prove(await self.session(Lane.FAST), self.facts, probes)
        user = self.target.instance.monitor.user
        grants = [asking.grant(each, self.facts, user) for each in probes if not self.facts.probes[each.name]]
        if grants:
            raise EngineError(Reason.PERMISSION, f"{question.name} needs: {' '.join(grants)}")

    async def run(self, collector: Collector) -> Run:
        """One collector of instance scope."""
        return self._left_out(collector, self.facts) or await self._ask(collector, self.facts)

    async def run_in_databases(self, collectors: Sequence[Collector]) -> list[Run]:
        """Every collector of database scope, in one database after the other."""
        if not collectors:
            return []
        try:
            databases, closed = await self._databases()
        except EngineError as error:
            return [_failed(collector, error) for collector in collectors]
        runs: dict[str, list[Run]] = {each.name: [] for each in collectors}
        for database, no_entry in closed.items():
            for each in self._meant_for(database, collectors):
                runs[each.name].append(_failed(each, no_entry))
        databases = [database for database in databases if self._meant_for(database, collectors)]
        for database in databases[: self.target.most_databases]:
            asked = self._meant_for(database, collectors)
            for each, run in zip(asked, await self._in_database(database, asked), strict=True):
                runs[each.name].append(run)
        return [_merged(each, runs[each.name]) for each in collectors]

    @staticmethod
    def _meant_for(database: str, collectors: Sequence[Collector]) -> list[Collector]:
        return [each for each in collectors if asking.wants(each, database)]

    async def _databases(self) -> tuple[list[str], dict[str, EngineError]]:
        target = self.target
        session = await self.session(Lane.FAST)
        return await asking.databases(session, target.catalogue, target.engine, self.facts, target.instance.databases)

    async def _in_database(self, database: str, collectors: Sequence[Collector]) -> list[Run]:
        try:
            session = await self.session(Lane.SLOW, database)
            here = await asking.read_facts(self.target.engine, self.target.catalogue, session)
            facts = await asking.prove(session, here, asking.needed_probes(self.target.catalogue, collectors))
        except EngineError as error:
            return [_failed(collector, asking.said_of(database, error)) for collector in collectors]
        return [self._left_out(each, facts, database) or await self._ask(each, facts, database) for each in collectors]

    def _left_out(self, collector: Collector, facts: Facts, database: str = "") -> Run | None:
        """Why the collector is not asked: it is not for this server, or a privilege is missing. None: it is."""
        skipped = asking.left_out(collector, facts, self.target.instance)
        user = self.target.instance.monitor.user
        remedy = asking.remedy(self.target.catalogue, collector, facts, user)
        if skipped == "optional":
            where = asking.note_of(database, remedy) if database else ""
            return Run(_status(collector, skipped=skipped, remedy=remedy, message=where))
        missing = asking.missing_needs(collector, facts)
        if skipped or not missing:
            skipped = skipped or ("heavy" if collector.lane in self._unasked else "")
            return Run(_status(collector, skipped=skipped)) if skipped else None
        self.measures.tally(collector.name).missing = missing
        why = f"our account lacks {', '.join(missing)}"
        return Run(_status(collector, succeeded=False, reason=Reason.PERMISSION, message=why, remedy=remedy))

    async def _ask(self, collector: Collector, facts: Facts, database: str | None = None) -> Run:
        target, clock = self.target, self.target.clock.monotonic
        started = clock()
        try:
            lane = Lane.SLOW if database else collector.lane
            session = await self.session(lane, database)
            answer = await asking.answer(session, collector, facts, self._machine)
            rows, verdict = agreement.alone(collector.agree, answer.rows, facts.role)
            blocks = list(_mapper(target, collector, database).blocks(rows, started, SAMPLE_SECONDS))
        except EngineError as error:
            return _failed(collector, asking.said_of(database, error) if database else error, clock() - started)
        seconds = clock() - started
        if answer.error is not None:
            return _failed(collector, answer.error, seconds, blocks=tuple(blocks))
        now = target.clock.time()
        told = {"last_success_at": now, "seconds": seconds, "message": answer.note or verdict}
        return _budgeted(collector, Run(_status(collector, succeeded=True, **told), tuple(blocks)))


def _mapper(target: Target, collector: Collector, database: str | None) -> mapping.Mapper:
    return mapping.Mapper(
        collector,
        target.catalogue.families,
        constants={"database": database} if database else {},
        accounts=target.instance.named_accounts,
        applications=frozenset(target.instance.applications),
    )


def _status(collector: Collector, **known: Any) -> CollectorStatus:
    return CollectorStatus(collector.name, collector.lane, collector.interval_seconds, **known)


def _failed(
    collector: Collector, error: EngineError, seconds: float | None = None, *, blocks: tuple[Block, ...] = ()
) -> Run:
    told = {"reason": error.reason, "message": error.message, "remedy": advice.of_collector(error)}
    return _budgeted(collector, Run(_status(collector, succeeded=False, seconds=seconds, **told), blocks))


def _budgeted(collector: Collector, run: Run) -> Run:
    """What the daemon would keep of it."""
    kept, dropped = mapping.budgeted(list(run.blocks), collector.max_series)
    return Run(replace(run.status, series=sum(map(len, kept))), tuple(kept), run.dropped + dropped)


def _merged(collector: Collector, runs: Sequence[Run]) -> Run:
    """The runs in several databases as one: the first failure is told, what the others gave is kept."""
    told = [run.status for run in runs if run.status.succeeded is False]
    told += [run.status for run in runs if run.status.succeeded]
    told += [run.status for run in runs] or [_status(collector, succeeded=True)]
    notes = dict.fromkeys(run.status.message for run in runs if run.status.message and not run.status.reason)
    message = told[0].message if told[0].reason else "\n".join(notes)
    times = [run.status.seconds for run in runs if run.status.seconds is not None]
    seconds, dropped = sum(times) if times else None, sum(run.dropped for run in runs)
    blocks = tuple(block for run in runs for block in run.blocks)
    return _budgeted(collector, Run(replace(told[0], seconds=seconds, message=message), blocks, dropped))
