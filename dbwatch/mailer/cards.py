"""What the templates see of a letter: everything as text, in its language. alerting/templates/ tells what there is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dbwatch.core.alerting.model import ALERTNAME, UNREACHABLE, Alert, Change, Item, Letter, Severity
from dbwatch.mailer import speech

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

ENDED = frozenset({Change.RESOLVED, Change.UNMEASURED, Change.PASSED})
ORDER = (Change.FIRING, Change.STILL, Change.PASSED, Change.UNMEASURED, Change.RESOLVED)
SHOWN_BESIDE = frozenset({ALERTNAME, "severity", "category", "db_instance", "engine", "env", "service", "team"})
PLACES = {"fr": {"engine": "moteur", "team": "équipe"}}  # as a label is called where not by its name
SHORT_FINGERPRINT = 8


@dataclass(frozen=True)
class Style:
    """What does not depend on the letter."""

    host: str
    page_url: str = ""
    runbooks_url: str = ""
    zone: tzinfo | None = None


@dataclass(frozen=True)
class Card:
    """One alert, in words."""

    item: Item
    letter: Letter
    style: Style

    @property
    def alert(self) -> Alert:
        return self.item.alert

    @property
    def change(self) -> str:
        return self.item.change.value

    @property
    def is_ended(self) -> bool:
        return self.item.change in ENDED

    @property
    def severity(self) -> str:
        return self.alert.severity.value

    @property
    def name(self) -> str:
        return self.alert.name

    @property
    def fingerprint(self) -> str:
        return self.alert.fingerprint

    @property
    def short(self) -> str:
        return self.fingerprint[:SHORT_FINGERPRINT]

    @property
    def instance(self) -> str:
        return self.alert.label("db_instance")

    @property
    def env(self) -> str:
        return self.alert.label("env")

    @property
    def labels(self) -> Mapping[str, str]:
        return dict(self.alert.labels)

    @property
    def where(self) -> list[str]:
        """Its place, in few words: engine, environment, service, team, and what else names it, each with its name."""
        names = PLACES.get(self.letter.language, {})
        known = [(names.get(name, name), self.alert.label(name)) for name in ("engine", "env", "service", "team")]
        others = [(name, value) for name, value in self.alert.labels if name not in SHOWN_BESIDE]
        return [f"{name} {value}" for name, value in (*known, *others) if value]

    @property
    def unreachable(self) -> str:
        """Where its instance was looked for, and why it could not be reached; '' where it answers, or it is over."""
        is_about_it = self.alert.label("category") == "availability" and not self.is_ended
        return dict(self.letter.facts).get(f"{UNREACHABLE}{self.instance}", "") if is_about_it else ""

    @property
    def summary(self) -> str:
        return self._text("summary") or self.name

    @property
    def description(self) -> str:
        return self._text("description")

    @property
    def impact(self) -> str:
        return self._text("impact")

    @property
    def steps(self) -> list[str]:
        return speech.steps(self._text("action"))

    @property
    def since(self) -> str:
        return self._moment(self.alert.active_at)

    @property
    def until(self) -> str:
        return self._moment(self._end)

    @cached_property
    def lasted(self) -> str:
        """From its first sign until it ended, or until this letter."""
        return speech.duration(self._end - self.alert.active_at, self.letter.language)

    @property
    def runbook_url(self) -> str:
        """Where it can be read: '' where nobody told."""
        path = self.alert.annotation("runbook_url")
        if path.startswith(("http://", "https://")) or not self.style.runbooks_url:
            return path if path.startswith("http") else ""
        return f"{self.style.runbooks_url}/{path.rpartition('/')[2].removesuffix('.md')}" if path else ""

    @property
    def picture(self) -> str:
        return self.alert.picture

    @property
    def is_acknowledged(self) -> bool:
        return self.item.is_acknowledged and not self.is_ended

    @property
    def is_flapping(self) -> bool:
        return self.item.is_flapping

    @property
    def _end(self) -> float:
        ended = self.alert.resolved_at if self.is_ended else None
        return self.letter.at if ended is None else ended

    def _moment(self, at: float) -> str:
        return speech.moment(at, self.letter.language, self.style.zone)

    def _text(self, name: str) -> str:
        found = " ".join(self.alert.annotation(name, self.letter.language).split())
        return speech.typeset(found, self.letter.language)


def context(letter: Letter, style: Style) -> dict[str, object]:
    """The names that a template may use."""
    items = sorted(letter.items, key=_worst_first)
    cards = [Card(item, letter, style) for item in items]
    return {
        "kind": letter.kind.value,
        "language": letter.language,
        "cards": cards,
        "first": cards[0] if cards else None,
        "severity": worst(letter).value if cards else "info",
        "state": state(letter).value if cards else "",
        "counts": _counts(letter),
        "group": [value for _, value in letter.group if value],
        "facts": dict(letter.facts),
        "at": speech.moment(letter.at, letter.language, style.zone),
        "day": speech.day(letter.at, letter.language, style.zone),
        "host": style.host,
        "page_url": style.page_url,
        "is_reminder": bool(cards) and all(item.change in {Change.STILL, *ENDED} for item in items),
    }


def worst(letter: Letter) -> Severity:
    """Of what goes on; of what ended, where all did."""
    going = [item for item in letter.items if item.change not in ENDED] or list(letter.items)
    return min((item.alert.severity for item in going), key=lambda each: each.rank, default=Severity.INFO)


def state(letter: Letter) -> Change:
    """The letter in one word."""
    found = {item.change for item in letter.items}
    return next((change for change in ORDER if change in found), Change.FIRING)


def _worst_first(item: Item) -> tuple[object, ...]:
    alert = item.alert
    return item.change in ENDED, alert.severity.rank, ORDER.index(item.change), alert.label("db_instance"), alert.name


def _counts(letter: Letter) -> dict[str, int]:
    """How many go on and how many ended, also where there was no room for all of them."""
    facts = dict(letter.facts)
    going = sum(item.change not in ENDED for item in letter.items)
    critical = sum(item.change not in ENDED and item.alert.severity is Severity.CRITICAL for item in letter.items)
    return {
        "firing": _number(facts.get("firing"), going),
        "ended": _number(facts.get("ended"), len(letter.items) - going),
        "critical": critical,
        "left_out": _number(facts.get("left_out"), 0),
        "groups": _number(facts.get("groups"), 1),
    }


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise
