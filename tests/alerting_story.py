"""Alerts that come and go, and what their recipients read of it: the letters of a policy on a clock of our own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from dbwatch.core.alerting.deciding import decide
from dbwatch.core.alerting.memory import Memory, recalled
from dbwatch.core.alerting.model import Alert, AlertState, Change, Letter, LetterKind, Silence, fingerprint, pairs
from dbwatch.core.alerting.muting import Muting, muting
from dbwatch.core.alerting.policy import Audience, Policy, Route

START = 1_700_000_000.0  # Tuesday 14 November 2023, 22:13:20 UTC
TEAM = ("team@example.org",)
ENDED = (Change.RESOLVED, Change.UNMEASURED, Change.PASSED)


def labelled(name: str, severity: str = "warning", **labels: str) -> dict[str, str]:
    return {"db_instance": "pg1", "service": "citizens", "category": "locks"} | labels | {
        "alertname": name,
        "severity": severity,
    }  # fmt: skip


def policy(**changes: Any) -> Policy:
    return replace(Policy(default=Route(TEAM, "en")), **changes)


def said(letter: Letter) -> dict[str, str]:
    """What a letter says of each alert."""
    return {item.alert.name: item.change.value for item in letter.items}


@dataclass
class Story:
    """What happens, in order. After each event, and whenever the decision asked for it, letters are decided."""

    policy: Policy = field(default_factory=policy)
    now: float = START
    alerts: dict[str, Alert] = field(default_factory=dict)
    seen: dict[str, Alert] = field(default_factory=dict)  # all that ever were
    acknowledged: set[str] = field(default_factory=set)
    silences: list[Silence] = field(default_factory=list)
    maintenance: dict[str, float | None] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    letters: list[Letter] = field(default_factory=list)
    muted: Muting = field(default_factory=Muting)
    wake_at: float = math.inf
    is_restarting: bool = False  # before each decision what is remembered goes through the disk

    def fire(self, name: str, severity: str = "warning", **labels: str) -> str:
        mark = self.put(name, severity, **labels)
        self.look()
        return mark

    def put(self, name: str, severity: str = "warning", **labels: str) -> str:
        every = pairs(labelled(name, severity, **labels))
        alert = Alert(every, (), AlertState.FIRING, 1.0, self.now, self.now, fired_at=self.now)
        self.alerts[alert.fingerprint] = self.seen[alert.fingerprint] = alert
        return alert.fingerprint

    def end(self, *marks: str, is_measured: bool = True) -> None:
        for mark in marks:
            self.alerts[mark] = replace(
                self.alerts[mark], state=AlertState.RESOLVED, resolved_at=self.now, is_measured=is_measured
            )
        self.look()

    def again(self, mark: str) -> None:
        alert = self.alerts[mark]
        self.alerts[mark] = replace(alert, state=AlertState.FIRING, fired_at=self.now, resolved_at=None)
        self.look()

    def turn(self, mark: str) -> None:
        """It ends if it fires, and fires if it does not; also if nobody remembers it."""
        alert = self.seen[mark]
        if mark in self.alerts and self.alerts[mark].state is AlertState.FIRING:
            self.end(mark)
        else:
            self.alerts[mark] = alert
            self.again(mark)

    def acknowledge(self, mark: str) -> None:
        self.acknowledged.add(mark)
        self.look()

    def under(self, **changes: Any) -> None:
        self.policy = replace(self.policy, **changes)
        self.look()

    def look(self) -> None:
        if self.is_restarting:
            self.memory = recalled(self.memory.to_json()).memory
        self.muted = muting(
            self.now, self.alerts, self.memory, self.policy, maintenance=self.maintenance, silences=self.silences
        )
        decision = decide(
            self.now, self.alerts, self.memory, self.policy, muted=self.muted, acknowledged=self.acknowledged
        )
        assert decision.wake_at > self.now
        self.memory, self.wake_at = decision.memory, decision.wake_at
        self.letters += decision.letters
        for mark in decision.forgettable:
            del self.alerts[mark]
            self.acknowledged.discard(mark)

    def wait(self, seconds: float) -> list[Letter]:
        """The letters of this time, all of it waited through."""
        end, before = self.now + seconds, len(self.letters)
        while self.wake_at <= end:
            self.now = self.wake_at
            self.look()
        self.now = end
        self.look()
        return self.letters[before:]

    def mark(self, name: str, severity: str = "warning", **labels: str) -> str:
        return fingerprint(pairs(labelled(name, severity, **labels)))


def view(letters: list[Letter]) -> dict[Audience, set[str]]:
    """What each audience believes to be firing, from the letters about alerts that it read."""
    believed: dict[Audience, set[str]] = {}
    for letter in letters:
        if letter.kind in {LetterKind.DAILY, LetterKind.TEST}:
            continue
        known = believed.setdefault(Audience(letter.recipients, letter.language), set())
        for item in letter.items:
            if item.change in ENDED:
                known.discard(item.alert.fingerprint)
            else:
                known.add(item.alert.fingerprint)
    return believed
