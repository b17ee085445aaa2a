"""What dbwatch says of one instance beside the collectors: is it up, what is it, how fares each collector.

The names stand in families.yml like all others; this module only fills them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.conditions import version_number
from dbwatch.core.model import Block, Role
from dbwatch.errors import Reason
from dbwatch.poller.histogram import LOGIN_BOUNDS_SECONDS, PING_BOUNDS_SECONDS, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dbwatch.core.model import Facts
    from dbwatch.store import CollectorStatus, InstanceState

COLLECTOR = "self"


@dataclass(slots=True)
class Tally:
    """What is counted of one collector since the start."""

    errors: Counter[Reason] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    missing: tuple[str, ...] = ()  # the probes not proven at its last turn


@dataclass(slots=True)
class Measures:
    """What is measured of an instance's logins since the start."""

    logins: dict[str, Histogram] = field(default_factory=dict)
    pings: Histogram = field(default_factory=lambda: Histogram(PING_BOUNDS_SECONDS))
    clock_offset_seconds: float | None = None
    tallies: dict[str, Tally] = field(default_factory=dict)

    def login(self, phase: str, seconds: float) -> None:
        self.logins.setdefault(phase, Histogram(LOGIN_BOUNDS_SECONDS)).observe(seconds)

    def tally(self, collector: str) -> Tally:
        return self.tallies.setdefault(collector, Tally())


def blocks(state: InstanceState, measures: Measures) -> list[Block]:
    """Every self-metric of one instance. Pure."""
    made = [*_availability(state), *_facts(state), *_logins(measures, is_up=bool(state.up))]
    return [*made, *_collectors(state.collectors), *_tallies(measures.tallies)]


def thresholds(values: Mapping[str, float]) -> list[Block]:
    """What the alert rules compare this instance with, by name."""
    return _many("dbwatch_threshold", ("name",), [((name,), value) for name, value in sorted(values.items())])


def _one(family: str, value: float | None, **labels: str) -> list[Block]:
    if value is None:
        return []
    return [Block(family, tuple(labels), tuple((text,) for text in labels.values()), (value,))]


def _many(family: str, names: tuple[str, ...], rows: Iterable[tuple[tuple[str, ...], float | None]]) -> list[Block]:
    known = [(key, value) for key, value in rows if value is not None]
    if not known:
        return []
    return [Block(family, names, tuple(zip(*(key for key, _ in known), strict=True)), tuple(v for _, v in known))]


def _availability(state: InstanceState) -> list[Block]:
    if state.up is None:
        return []
    reason = _one("dbwatch_up_reason", 1, reason=state.reason or Reason.OTHER) if not state.up else []
    maintenance = _one("dbwatch_maintenance", int(state.in_maintenance))
    return [*_one("dbwatch_up", int(state.up)), *reason, *maintenance, *_certificate(state)]


def _certificate(state: InstanceState) -> list[Block]:
    """Of a server that is down nobody knows which one it would show next."""
    shown = state.certificate_not_after if state.up else None
    return _one("dbwatch_tls_certificate_not_after_timestamp_seconds", shown)


def _facts(state: InstanceState) -> list[Block]:
    """Only while the server is reached: a role remembered is not a role."""
    facts = state.facts
    if facts is None or not state.up:
        return []
    roles = [((role.value,), float(facts.role is role)) for role in (Role.PRIMARY, Role.REPLICA)]
    return [
        *_one("dbwatch_instance_info", 1, **_info(facts), **state.labels),
        *_many("dbwatch_role", ("role",), roles),
        *_one("dbwatch_server_start_timestamp_seconds", facts.started_at),
    ]


def _info(facts: Facts) -> dict[str, str]:
    return {
        "flavour": facts.flavour,
        "version": facts.version_text,
        "version_num": version_number(facts.version),
        "edition": facts.edition,
        "system_identifier": facts.system_identifier,
    }


def _logins(measures: Measures, *, is_up: bool) -> list[Block]:
    made = []
    for phase, histogram in measures.logins.items():
        made += histogram.blocks("dbwatch_connect_duration_seconds", {"phase": phase})
    made += measures.pings.blocks("dbwatch_ping_duration_seconds", {})
    if not is_up:
        return made  # the last login that worked says nothing of now
    last = [((phase,), histogram.last) for phase, histogram in measures.logins.items()]
    made += _many("dbwatch_connect_last_duration_seconds", ("phase",), last)
    made += _one("dbwatch_ping_last_duration_seconds", measures.pings.last)
    return [*made, *_one("dbwatch_clock_offset_seconds", measures.clock_offset_seconds)]


def _collectors(collectors: Mapping[str, CollectorStatus]) -> list[Block]:
    names = ("collector",)
    asked = [status for status in collectors.values() if status.succeeded is not None]

    def per(family: str, values: Iterable[float | None]) -> list[Block]:
        return _many(family, names, [((status.name,), value) for status, value in zip(asked, values, strict=True)])

    return [
        *per("dbwatch_collector_success", (float(bool(status.succeeded)) for status in asked)),
        *per("dbwatch_collector_duration_seconds", (status.seconds for status in asked)),
        *per("dbwatch_collector_last_success_timestamp_seconds", (status.last_success_at for status in asked)),
        *per("dbwatch_collector_interval_seconds", (status.interval_seconds for status in asked)),
        *per("dbwatch_collector_series", (status.series for status in asked)),
    ]


def _tallies(tallies: Mapping[str, Tally]) -> list[Block]:
    items = list(tallies.items())
    errors = [((name, reason.value), float(n)) for name, tally in items for reason, n in tally.errors.items()]
    skipped = [((name, reason), float(n)) for name, tally in items for reason, n in tally.skipped.items()]
    dropped = [((name, "cardinality"), float(tally.dropped)) for name, tally in items if tally.dropped]
    missing = [((name, need), 1.0) for name, tally in items for need in tally.missing]
    return [
        *_many("dbwatch_collector_errors_total", ("collector", "reason"), errors),
        *_many("dbwatch_collector_skipped_total", ("collector", "reason"), skipped),
        *_many("dbwatch_series_dropped_total", ("collector", "reason"), dropped),
        *_many("dbwatch_collector_permission_missing", ("collector", "privilege"), missing),
    ]
