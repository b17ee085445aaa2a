"""The words of alerting: what crosses from the rules to the outbox, the page and the command line.

All are frozen. Times are Unix seconds. Labels and annotations are sorted pairs, so that equal alerts compare equal.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Pairs = tuple[tuple[str, str], ...]
ALERTNAME = "alertname"
UNREACHABLE = "unreachable "  # begins the name of a letter's fact; then comes the instance


class AlertState(StrEnum):
    """As Prometheus names them; a resolved alert is kept only until everybody who was told of it is told so."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """Who is disturbed: critical wakes somebody up, a warning waits for office hours, info is for the digest."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


def pairs(mapping: Mapping[str, str]) -> Pairs:
    return tuple(sorted(mapping.items()))


def fingerprint(labels: Pairs) -> str:
    """The same for the same labels in every run and on every machine: it names an alert in mails and commands."""
    text = "\0".join(f"{name}\1{value}" for name, value in labels)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Alert:
    """One alert: a rule that is true for one set of labels. `alertname` is one of the labels."""

    labels: Pairs
    annotations: Pairs
    state: AlertState
    value: float
    active_at: float  # since when the rule is true
    last_true_at: float  # when it was last seen true
    fired_at: float | None = None
    resolved_at: float | None = None
    is_measured: bool = True  # False: it ended because there was nothing to judge it by any more
    picture: str = ""  # where the picture of that second is
    false_since: float | None = None  # kept firing (keep_firing_for) though its rule is false since then

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(self.labels)

    def label(self, name: str) -> str:
        """'' where there is no such label, as in PromQL."""
        return dict(self.labels).get(name, "")

    def annotation(self, name: str, language: str = "en") -> str:
        """The text in that language, else in English, else ''."""
        texts = dict(self.annotations)
        return texts.get(f"{name}_{language}") or texts.get(name, "")

    @property
    def name(self) -> str:
        return self.label(ALERTNAME)

    @property
    def severity(self) -> Severity:
        text = self.label("severity")
        return Severity(text) if text in list(Severity) else Severity.WARNING


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody has it in hand: no repetition and no escalation until it resolves."""

    fingerprint: str
    at: float
    who: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that have all these labels are not told until then."""

    id: int
    labels: Pairs
    starts_at: float
    ends_at: float
    who: str = ""
    comment: str = ""

    def is_open(self, now: float) -> bool:
        return self.starts_at <= now < self.ends_at

    def matches(self, alert: Alert) -> bool:
        return all(alert.label(name) == value for name, value in self.labels)


class LetterKind(StrEnum):
    """What a letter is for; each has its templates."""

    ALERT = "alert"  # what changed in one group
    DIGEST = "digest"  # a storm: one letter in place of many
    ESCALATION = "escalation"  # nobody acknowledged
    DAILY = "daily"
    TEST = "test"
    FAILURE = "failure"  # the daemon itself ended: told without it


class Change(StrEnum):
    """What a letter says of one alert."""

    FIRING = "firing"  # new since the last letter
    STILL = "still"  # told before, goes on
    RESOLVED = "resolved"
    UNMEASURED = "unmeasured"  # it ended because nothing is measured any more
    PASSED = "passed"  # it fired and resolved before a letter could leave


@dataclass(frozen=True, slots=True)
class Item:
    """One alert in a letter."""

    alert: Alert
    change: Change
    is_acknowledged: bool = False
    is_flapping: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it has words: to whom, about what. The same letter always gives the same Message-ID."""

    kind: LetterKind
    thread: str  # the conversation: letters of one thread arrive in order and are shown together
    sequence: int  # 0 opens the conversation
    recipients: tuple[str, ...]
    language: str  # fr or en
    at: float
    items: tuple[Item, ...] = ()
    group: Pairs = ()  # the labels that its alerts share
    facts: Pairs = ()  # what else the templates show, by name
