"""When bells ring: on the days on which clocks change, after a pause, and after a reload."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbwatch import history, library
from dbwatch.core.backups.model import JobKind, JobReason, JobRun, JobState
from dbwatch.errors import JobError
from dbwatch.jobs import scheduler
from dbwatch.jobs.office import JobOffice, Lent
from dbwatch.jobs.scheduler import Bell, Bells, missed, next_after
from dbwatch.settings.models import Settings

if TYPE_CHECKING:
    from pathlib import Path

PARIS = ZoneInfo("Europe/Paris")
NIGHTLY = Bell(JobKind.BACKUP, "pg1", "30 2 * * *", "Europe/Paris", 6 * 3600.0)
HOUR, DAY = 3600.0, 86400.0


@dataclass
class HeldClock:
    now: float = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
    ticks: float = 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.ticks


def rings(schedule: str, start: datetime, count: int) -> list[str]:
    bell, moment, found = replace(NIGHTLY, schedule=schedule), start.timestamp(), []
    for _ in range(count):
        moment = next_after(bell, moment) or 0.0
        found.append(datetime.fromtimestamp(moment, PARIS).strftime("%d %H:%M %z"))
    return found


def test_a_time_that_the_clocks_leave_out_rings_an_hour_later_and_once() -> None:
    assert ["28 02:30 +0100", "29 03:30 +0200", "30 02:30 +0200"] == rings(
        "30 2 * * *", datetime(2026, 3, 27, 12, tzinfo=UTC), 3
    )


def test_a_time_that_comes_twice_rings_the_first_time_only() -> None:
    assert ["25 02:30 +0200", "26 02:30 +0100"] == rings("30 2 * * *", datetime(2026, 10, 24, 12, tzinfo=UTC), 2)


def test_who_begins_between_the_two_waits_for_the_next_day() -> None:
    assert ["26 02:30 +0100"] == rings("30 2 * * *", datetime(2026, 10, 25, 0, 45, tzinfo=UTC), 1)


def test_every_hour_is_every_hour_also_when_one_comes_twice_or_never() -> None:
    autumn = rings("0 * * * *", datetime(2026, 10, 24, 23, 30, tzinfo=UTC), 3)
    spring = rings("0 * * * *", datetime(2026, 3, 29, 0, 30, tzinfo=UTC), 2)

    assert ["25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100"] == autumn
    assert ["29 03:00 +0200", "29 04:00 +0200"] == spring


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 23), st.integers(0, 59), st.integers(2024, 2032), st.sampled_from([3, 10]))
def test_a_daily_bell_rings_once_on_each_day_whatever_the_clocks_do(
    hour: int, minute: int, year: int, month: int
) -> None:
    days = [
        text.split()[0] for text in rings(f"{minute} {hour} * * *", datetime(year, month, 23, 22, 59, tzinfo=UTC), 8)
    ]

    assert [f"{int(days[0]) + number:02}" for number in range(8)] == days or days[-1] == "01"
    assert len(set(days)) == len(days)


@pytest.mark.parametrize(
    ("last_hours_ago", "is_missed"),
    [
        (3.0, True),  # the last run began before the bell
        (1.0, False),  # it ran after the bell
        (None, False),  # it never ran: somebody has just configured it
        (400.0, True),
    ],
)
def test_a_bell_that_should_have_rung_while_nobody_ran_is_made_up_for(
    last_hours_ago: float | None, *, is_missed: bool
) -> None:
    now = datetime(2026, 11, 21, 4, 0, tzinfo=PARIS).timestamp()  # an hour and a half after 02:30
    last = None if last_hours_ago is None else now - last_hours_ago * HOUR

    assert is_missed == missed(NIGHTLY, last, now)


def test_a_bell_is_not_made_up_for_after_its_grace() -> None:
    now = datetime(2026, 11, 21, 9, 0, tzinfo=PARIS).timestamp()

    assert not missed(NIGHTLY, now - DAY, now)


@pytest.mark.parametrize(("last_hours_ago", "rehearsed"), [(9 * 24.0, ["pg1"]), (1.0, []), (None, [])])
async def test_a_drill_that_should_have_begun_while_nobody_ran_is_made_up_for(
    tmp_path: Path, last_hours_ago: float | None, rehearsed: list[str]
) -> None:
    clock = HeldClock(datetime(2026, 11, 22, 5, 0, tzinfo=PARIS).timestamp())  # a Sunday, two hours after the bell
    backed = {"engine": "postgres", "monitor": {"user": "m"}, "backups": {"logical": {}}}
    drills = {"schedule": "0 3 * * sun", "timezone": "Europe/Paris"}
    document = {
        "state_directory": str(tmp_path),
        "backups": {"directory": str(tmp_path / "sets"), "drills": drills},
        "instances": {"pg1": backed},
    }
    async with history.opened(tmp_path) as past:
        if last_hours_ago is not None:
            began = clock.now - last_hours_ago * HOUR
            await past.jobs.ended(JobRun("r", JobKind.DRILL, "pg1", began, JobState.SUCCEEDED, began + 60))
        office = JobOffice(Settings.model_validate(document), library.load([]), Lent(past, clock))
        async with office._runner.running():
            office._ready.set()
            office._ring_what_was_missed()

            assert rehearsed == [run.instance for run in office._runner.active if run.kind is JobKind.DRILL]


async def test_drills_that_wait_for_their_turn_when_dbwatch_ends_are_told_and_no_crash(tmp_path: Path) -> None:
    backed = {"engine": "postgres", "monitor": {"user": "m"}, "backups": {"logical": {}}}
    document = {"backups": {"directory": str(tmp_path / "sets")}, "instances": {"pg1": backed, "pg2": backed}}
    async with history.opened(tmp_path) as past:
        office = JobOffice(Settings.model_validate(document), library.load([]), Lent(past, HeldClock()))
        office._ready.set()
        office._to_rehearse = ["pg1", "pg2"]

        await office._each_minute()

        assert ([], []) == (office._to_rehearse, office._runner.active)


async def test_only_what_changed_is_hung_up_anew() -> None:
    bells = Bells(lambda _: None, HeldClock())
    kept, gone, changed = NIGHTLY, replace(NIGHTLY, instance="pg2"), replace(NIGHTLY, instance="pg3")
    bells.become([kept, gone, changed])
    before = {name: bells._job(JobKind.BACKUP, name) for name in ("pg1", "pg3")}

    bells.become([kept, replace(changed, schedule="0 4 * * *")])

    assert before["pg1"] is bells._job(JobKind.BACKUP, "pg1")
    assert before["pg3"] is not bells._job(JobKind.BACKUP, "pg3")
    assert bells.next_at(JobKind.BACKUP, "pg2") is None
    assert bells.next_at(JobKind.BACKUP, "pg1") is not None
    bells.stop()
    assert bells.next_at(JobKind.BACKUP, "pg1") is None


async def test_who_has_no_bell_does_not_import_the_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "made", lambda: pytest.fail("it was made"))
    bells = Bells(lambda _: None, HeldClock())

    bells.become([])
    bells._look_at_the_clock()
    bells.stop()


async def test_a_bell_that_nobody_can_hear_is_told_and_the_next_one_rings() -> None:
    heard: list[str] = []

    def ring(bell: Bell) -> None:
        heard.append(bell.instance)
        if bell.instance == "pg1":
            raise JobError(JobReason.BUSY, "it runs already")

    bells = Bells(ring, HeldClock())
    await bells._heard(NIGHTLY)
    await bells._heard(replace(NIGHTLY, instance="pg2"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await bells.run()

    assert ["pg1", "pg2"] == heard


async def test_a_clock_that_is_set_back_a_day_does_not_silence_a_bell_for_two() -> None:
    clock = HeldClock()
    bells = Bells(lambda _: None, clock)
    bells.become([NIGHTLY])
    before = bells._job(JobKind.BACKUP, "pg1")

    clock.now -= DAY
    clock.ticks += 20
    bells._look_at_the_clock()

    assert before is not bells._job(JobKind.BACKUP, "pg1")
    bells.stop()


def test_next_year_is_not_forgotten() -> None:
    bell = replace(NIGHTLY, schedule="0 3 29 2 *")
    found = datetime.fromtimestamp(next_after(bell, datetime(2026, 3, 1, tzinfo=UTC).timestamp()) or 0.0, PARIS)

    assert (2028, 2, 29) == (found.year, found.month, found.day)
    assert timedelta(0) < found - datetime(2026, 3, 1, tzinfo=UTC)
