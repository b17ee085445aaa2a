"""Why an alert is not told now. What is muted is not forgotten: its recipients are told once the reason is gone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.core.alerting.model import Alert, AlertState, Silence
from dbwatch.core.alerting.policy import Inhibition, Policy, fits
from dbwatch.core.alerting.view import Mute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dbwatch.core.alerting.memory import Memory

    Look = Callable[[Alert, Mapping[str, str]], Mute | None]

DB_INSTANCE = "db_instance"


@dataclass(frozen=True, slots=True)
class Muting:
    """Each muted alert and why, by fingerprint; `until`: when the first of these reasons may end by itself."""

    reasons: Mapping[str, Mute] = field(default_factory=dict)
    until: float = math.inf


def muting(
    now: float,
    alerts: Mapping[str, Alert],
    memory: Memory,
    policy: Policy,
    *,
    maintenance: Mapping[str, float | None] | None = None,
    silences: Sequence[Silence] = (),
) -> Muting:
    """`maintenance`: the instances with an open window, and its end, if it has one."""
    looks: tuple[Look, ...] = (
        _inhibited(alerts, policy.inhibitions),
        _maintained(maintenance or {}),
        _silenced([silence for silence in silences if silence.is_open(now)]),
        _quiet(policy, now),
        _flapping(memory, policy, now),
    )
    reasons = {mark: mute for mark, alert in alerts.items() if (mute := _first(looks, alert)) is not None}
    starts = [silence.starts_at for silence in silences if silence.starts_at > now]
    ends = [mute.until for mute in reasons.values() if mute.until is not None]
    return Muting(reasons, min([*starts, *ends], default=math.inf))


def _first(looks: Iterable[Look], alert: Alert) -> Mute | None:
    labels = dict(alert.labels)
    return next((mute for look in looks if (mute := look(alert, labels)) is not None), None)


def _inhibited(alerts: Mapping[str, Alert], rules: Sequence[Inhibition]) -> Look:
    """As Alertmanager: who fits both sides is not inhibited by others that do, nor by itself."""
    firing = [dict(alert.labels) for alert in alerts.values() if alert.state is AlertState.FIRING]
    sources = [(rule, *_sources(rule, firing)) for rule in rules]

    def look(_: Alert, labels: Mapping[str, str]) -> Mute | None:
        for rule, every, one_sided in sources:
            if every and fits(rule.target, labels):
                by = (one_sided if fits(rule.source, labels) else every).get(_shared(rule, labels))
                if by is not None:
                    return Mute("inhibited", by)
        return None

    return look


def _sources(
    rule: Inhibition, firing: Sequence[Mapping[str, str]]
) -> tuple[dict[tuple[str, ...], str], dict[tuple[str, ...], str]]:
    found = [labels for labels in firing if fits(rule.source, labels)]
    every = {_shared(rule, labels): labels.get("alertname", "") for labels in found}
    return every, {_shared(rule, each): each.get("alertname", "") for each in found if not fits(rule.target, each)}


def _shared(rule: Inhibition, labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in rule.equal)


def _maintained(maintenance: Mapping[str, float | None]) -> Look:
    def look(_: Alert, labels: Mapping[str, str]) -> Mute | None:
        instance = labels.get(DB_INSTANCE, "")
        return Mute("maintenance", "", maintenance[instance]) if instance in maintenance else None

    return look


def _silenced(silences: Sequence[Silence]) -> Look:
    def look(_: Alert, labels: Mapping[str, str]) -> Mute | None:
        found = [each for each in silences if all(labels.get(name, "") == value for name, value in each.labels)]
        if not found:
            return None
        longest = max(found, key=lambda each: each.ends_at)
        return Mute("silence", ": ".join(filter(None, (longest.who, longest.comment))), longest.ends_at)

    return look


def _quiet(policy: Policy, now: float) -> Look:
    ends = [(hours.severities, end) for hours in policy.quiet_hours if (end := hours.until(now)) is not None]

    def look(alert: Alert, _: Mapping[str, str]) -> Mute | None:
        until = max((end for severities, end in ends if alert.severity in severities), default=None)
        return Mute("quiet_hours", "", until) if until is not None else None

    return look


def _flapping(memory: Memory, policy: Policy, now: float) -> Look:
    def look(alert: Alert, _: Mapping[str, str]) -> Mute | None:
        flap = memory.flaps.get(alert.fingerprint)
        until = calm_at(alert, policy, now)
        return Mute("flapping", "", until) if flap is not None and flap.is_on and until > now else None

    return look


def calm_at(alert: Alert, policy: Policy, now: float) -> float:
    """When it has held still for long enough, if it does. A change that lies ahead is of a clock that was set back."""
    changes = (alert.fired_at or 0.0, alert.resolved_at or 0.0)
    return max((at for at in changes if at <= now), default=0.0) + policy.flap_calm
