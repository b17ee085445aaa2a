"""Who is told what, and how often: what the settings say of letters, as the decision needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dbwatch.core.alerting.model import ALERTNAME, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.core.alerting.hours import Calendar, QuietHours

Match = tuple[tuple[str, tuple[str, ...]], ...]


class Audience(NamedTuple):
    """Who reads one letter, in which language."""

    recipients: tuple[str, ...]
    language: str


def fits(match: Match, labels: Mapping[str, str]) -> bool:
    """Whether each of these labels has one of its values; a label that is not there is ''."""
    return all(labels.get(name, "") in values for name, values in match)


@dataclass(frozen=True, slots=True)
class Route:
    """The alerts that have all these labels go to these recipients."""

    recipients: tuple[str, ...]
    language: str = "fr"
    match: Match = ()

    @property
    def audience(self) -> Audience:
        return Audience(self.recipients, self.language)


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert that fits `source` fires, those that fit `target` and share the labels `equal` are not told."""

    source: Match
    target: Match = ()
    equal: tuple[str, ...] = ("db_instance",)


INSTANCE_DOWN = Inhibition(source=((ALERTNAME, ("InstanceDown",)),))


@dataclass(frozen=True, slots=True)
class Policy:
    """Durations are seconds. `routes`: the first that fits wins, else `default`; nobody is told where that is None."""

    default: Route | None = None
    routes: tuple[Route, ...] = ()
    group_by: tuple[str, ...] = ("service", "category")
    first_critical_wait: float = 5.0
    group_wait: float = 30.0
    group_interval: float = 300.0
    repeat: float = 14_400.0
    storm_limit: int = 10  # letters to one audience within `storm_window`; more become a digest
    storm_window: float = 600.0
    resolve_mails: bool = True
    quiet_hours: tuple[QuietHours, ...] = ()
    inhibitions: tuple[Inhibition, ...] = (INSTANCE_DOWN,)
    escalate_after: float = 1800.0
    escalation: Route | None = None
    daily: Calendar | None = None
    weekly_test: Calendar | None = None
    flap_limit: int = 6  # changes told within `flap_window`: then quiet
    flap_window: float = 3600.0
    flap_calm: float = 900.0  # without a change: told again
    digest_only: frozenset[Severity] = frozenset({Severity.INFO})

    def audience(self, labels: Mapping[str, str]) -> Audience | None:
        """Who is told of an alert with these labels; None: nobody."""
        route = next((route for route in self.routes if fits(route.match, labels)), self.default)
        return route.audience if route and route.recipients else None

    @property
    def audiences(self) -> tuple[Audience, ...]:
        """Everybody who may be told something, once each."""
        routes = (*self.routes, *([self.default] if self.default else []))
        return tuple(dict.fromkeys(route.audience for route in routes if route.recipients))
