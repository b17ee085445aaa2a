"""The loop of alerting in virtual time: steps, clocks that are set, restarts, letters."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from dbwatch import history
from dbwatch.alerts.office import Around, Office, Orders
from dbwatch.alerts.pictures import Photographer
from dbwatch.alerts.ruling import Ruling
from dbwatch.alerts.telling import Teller
from dbwatch.core.alerting.model import AlertState, Change
from dbwatch.core.alerting.policy import Policy, Route
from dbwatch.core.catalogue import Catalogue
from dbwatch.core.rule_files import read
from dbwatch.core.rules import where_it_runs
from dbwatch.history import Outgoing
from dbwatch.mailer.delivery import Report
from dbwatch.mailer.sender import Sender
from dbwatch.store import Store
from dbwatch.tasks import Heartbeats
from tests import virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from dbwatch.core.alerting.model import Letter
    from dbwatch.core.model import Rows

RULE = """
groups:
- name: own
  rules:
  - alert: TooMany
    expr: max without (job, instance) (own_value > 10)
    for: 60s
    labels: {severity: critical, category: self}
    annotations: {summary: "{{ $value }}", runbook_url: docs/runbooks/TooMany.md}
"""
POLICY = Policy(default=Route(("oncall@example.org",), "en"))


class SetClock:
    """The loop's time; `offset` is what somebody set the wall clock by."""

    def __init__(self) -> None:
        self.offset = 1_000_000.0

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def time(self) -> float:
        return self.monotonic() + self.offset


class Relay:
    """Takes everything."""

    async def deliver(self, recipients: tuple[str, ...], message: bytes) -> Report:
        del recipients, message
        return Report("relay")

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Desk:
    """One process's alerting: `value` is what the rule looks at, `letters` what was composed."""

    clock: SetClock
    value: float = 0.0
    letters: list[Letter] = field(default_factory=list)

    def compose(self, letter: Letter) -> Outgoing:
        self.letters.append(letter)
        return Outgoing(letter, f"<{letter.thread}.{letter.sequence}@test>", b"mail")

    def samples(self) -> list[tuple[str, Mapping[str, str], float]]:
        return [("own_value", {"job": "dbwatch"}, self.value)]

    @asynccontextmanager
    async def open(self, directory: Path) -> AsyncIterator[Office]:
        """The office at work, until the context ends as a process does."""
        async with history.opened(directory) as past, asyncio.TaskGroup() as group:
            ruling = Ruling(Store({}), self.samples)
            rules = read([("own.yml", RULE)])
            ruling.become([where_it_runs(each, Catalogue(), {"own_value": None}) for each in rules])
            sender = Sender(past.outbox, Relay(), clock=self.clock.time, jitter=lambda: 0.5)
            teller = Teller(past, sender, self, lambda _: (("instances", "1"),))
            around = Around(self.clock, Heartbeats(self.clock.monotonic), lambda _: {}, lambda *_: None)
            office = Office(ruling, teller, Photographer(nobody, directory), around)
            office.obey(Orders(POLICY, 15.0))
            tasks = [group.create_task(work.run(), name="alerting") for work in (office, sender)]
            try:
                yield office
            finally:
                for task in tasks:
                    task.cancel()


async def nobody(_instance: str, _question: str) -> Rows:
    raise AssertionError


def state(office: Office) -> AlertState | None:
    return next((alert.state for alert in office.alerts.values()), None)


@pytest.mark.parametrize("jump_seconds", [0.0, 3600.0, -3600.0])
def test_what_must_last_a_minute_lasts_a_minute_wherever_the_clock_is_set(tmp_path: Path, jump_seconds: float) -> None:
    async def story() -> list[AlertState | None]:
        desk = Desk(SetClock())
        async with desk.open(tmp_path) as office:
            await asyncio.sleep(1)
            desk.value = 11
            await asyncio.sleep(40)
            desk.clock.offset += jump_seconds
            await asyncio.sleep(16)
            early = state(office)
            await asyncio.sleep(32)
            return [early, state(office)]

    seen: list[AlertState | None] = []

    async def main() -> None:
        seen.extend(await story())

    virtual_time.run(main())

    assert seen == [AlertState.PENDING, AlertState.FIRING]


def test_a_letter_leaves_five_seconds_after_a_first_critical_and_the_end_is_told_in_its_turn(tmp_path: Path) -> None:
    desk = Desk(SetClock())

    async def main() -> None:
        async with desk.open(tmp_path) as office:
            desk.value = 11
            await asyncio.sleep(81)
            assert [letter.items[0].change for letter in desk.letters] == [Change.FIRING]
            desk.value = 0
            await asyncio.sleep(400)
            assert office.alerts == {}

    virtual_time.run(main())
    first, last = desk.letters

    assert 5 <= first.at - (first.items[0].alert.fired_at or 0) < 6
    assert last.items[0].change is Change.RESOLVED
    assert (first.thread, 0, 1) == (last.thread, first.sequence, last.sequence)
    assert ("instances", "1") in last.facts


def test_a_restart_neither_repeats_a_letter_nor_begins_the_minute_anew(tmp_path: Path) -> None:
    desk = Desk(SetClock(), value=11)
    states: list[AlertState | None] = []

    async def main() -> None:
        async with desk.open(tmp_path):
            await asyncio.sleep(31)
        async with desk.open(tmp_path) as office:
            await asyncio.sleep(16)
            states.append(state(office))
            await asyncio.sleep(32)
            states.append(state(office))
        async with desk.open(tmp_path):
            await asyncio.sleep(600)

    virtual_time.run(main())

    assert states == [AlertState.PENDING, AlertState.FIRING]
    assert [letter.sequence for letter in desk.letters] == [0]


def test_what_alerting_counts_is_there_to_be_served(tmp_path: Path) -> None:
    desk = Desk(SetClock(), value=11)

    async def main() -> None:
        async with desk.open(tmp_path) as office:
            await asyncio.sleep(16)
            figures = office.figures()
            assert figures.alerts == {("pending", "critical"): 1}
            assert figures.failures == {"TooMany": 0}
            assert figures.evaluated_at is not None

    virtual_time.run(main())
