"""Many faults at once, nobody who answers, and the letters of the calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from dbwatch.core.alerting.hours import Calendar, QuietHours
from dbwatch.core.alerting.merging import merged
from dbwatch.core.alerting.model import Change, Item, Letter, LetterKind, Silence
from dbwatch.core.alerting.muting import muting
from dbwatch.core.alerting.policy import Inhibition, Route
from tests.alerting_story import START, TEAM, Story, policy, said, view

if TYPE_CHECKING:
    from collections.abc import Mapping

BOSS = ("boss@example.org",)
PARIS = ZoneInfo("Europe/Paris")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def storm(count: int = 200, **changes: Any) -> Story:
    story = Story(policy(**changes))
    for number in range(count):
        story.put("InstanceDown", "critical", db_instance=f"pg{number}", service=f"s{number}")
    story.look()
    return story


def test_two_hundred_instances_down_at_once_are_one_digest_and_not_one_other_letter() -> None:
    story = storm()
    assert [] == story.wait(29)
    (digest,) = story.wait(3600)

    assert (LetterKind.DIGEST, TEAM, 200) == (digest.kind, digest.recipients, len(digest.items))
    assert {"ended": "0", "firing": "200", "groups": "200"} == dict(digest.facts)


def test_they_come_back_in_one_digest_too() -> None:
    story = storm()
    story.wait(60)
    story.end(*list(story.alerts))
    assert [] == story.wait(260)
    (digest,) = story.wait(3600)

    assert {Change.RESOLVED} == {item.change for item in digest.items}
    assert (story.letters[0].thread, 1) == (digest.thread, digest.sequence)
    assert {} == story.alerts


def test_what_comes_late_in_a_storm_waits_for_the_next_digest() -> None:
    story = storm()
    story.wait(60)
    for number in range(300, 350):
        story.put("InstanceDown", "critical", db_instance=f"pg{number}", service=f"s{number}")
    story.look()

    assert [] == story.wait(260)
    assert [50] == [len(letter.items) for letter in story.wait(60)]


def test_after_a_storm_letters_are_letters_again() -> None:
    story = storm()
    story.wait(400)
    story.end(story.mark("InstanceDown", "critical", db_instance="pg7", service="s7"))

    assert [LetterKind.ALERT] == [letter.kind for letter in story.wait(60)]


def test_ten_groups_are_no_storm_and_eleven_are() -> None:
    assert [LetterKind.ALERT] * 10 == [letter.kind for letter in storm(10).wait(60)]
    assert [LetterKind.DIGEST] == [letter.kind for letter in storm(11).wait(60)]


def test_letters_count_also_when_their_conversations_are_over() -> None:
    story = Story(policy(storm_limit=2, resolve_mails=False))
    for name in "ABC":
        mark = story.fire(name, service=name)
        story.wait(60)
        story.end(mark)

    assert [LetterKind.ALERT, LetterKind.ALERT, LetterKind.DIGEST] == [letter.kind for letter in story.letters]


def test_a_storm_of_one_team_is_no_storm_of_another() -> None:
    story = Story(policy(routes=(Route(BOSS, "fr", (("team", ("b",)),)),)))
    story.fire("A", team="b")
    for number in range(20):
        story.fire("A", service=f"s{number}")

    letters = story.wait(60)
    assert {(BOSS, LetterKind.ALERT), (TEAM, LetterKind.DIGEST)} == {(each.recipients, each.kind) for each in letters}


def test_reminders_of_a_storm_are_a_digest() -> None:
    story = storm()
    story.wait(60)
    (digest,) = story.wait(14_460)

    assert {Change.STILL} == {item.change for item in digest.items}
    assert digest.thread != story.letters[0].thread


def test_a_letter_shows_five_hundred_alerts_and_counts_the_others() -> None:
    story = Story()
    for number in range(600):
        story.put("A", db_instance=f"pg{number}")
    story.look()
    (letter,) = story.wait(60)

    assert (500, "100", "600") == (len(letter.items), dict(letter.facts)["left_out"], dict(letter.facts)["firing"])


def escalating() -> Story:
    return Story(policy(escalation=Route(BOSS, "fr")))


def test_a_critical_alert_that_nobody_acknowledged_is_escalated_once() -> None:
    story = escalating()
    mark = story.fire("InstanceDown", "critical")
    story.fire("SessionsBlocked")
    story.wait(10)
    assert [] == [letter for letter in story.wait(1790) if letter.kind is LetterKind.ESCALATION]
    (letter,) = [letter for letter in story.wait(20_000) if letter.recipients == BOSS]
    assert (LetterKind.ESCALATION, {"InstanceDown": "firing"}) == (letter.kind, said(letter))

    story.end(mark)
    (ended,) = [letter for letter in story.wait(600) if letter.recipients == BOSS]
    assert (LetterKind.ALERT, {"InstanceDown": "resolved"}, letter.thread) == (ended.kind, said(ended), ended.thread)


@pytest.mark.parametrize("how", ["acknowledged", "ended", "warning", "maintenance"])
def test_what_is_in_hand_or_over_is_not_escalated(how: str) -> None:
    story = escalating()
    mark = story.fire("InstanceDown", "warning" if how == "warning" else "critical")
    story.wait(60)
    if how == "acknowledged":
        story.acknowledge(mark)
    if how == "maintenance":
        story.maintenance = {"pg1": None}
    if how == "ended":
        story.end(mark)
    story.wait(7200)

    assert BOSS not in {letter.recipients for letter in story.letters}


def test_many_escalations_are_one_letter() -> None:
    story = storm(100, escalation=Route(BOSS, "fr"))

    assert [100] == [len(letter.items) for letter in story.wait(7200) if letter.recipients == BOSS]


def test_the_daily_letter_tells_what_fires_and_what_ended_also_what_no_other_told() -> None:
    story = Story(policy(daily=Calendar(time(8), PARIS)))
    info = story.fire("VersionOld", "info")
    short = story.fire("A")
    story.wait(10)
    story.end(short)
    (daily,) = story.wait(86_400)

    assert (LetterKind.DAILY, {"VersionOld": "firing", "A": "resolved"}) == (daily.kind, said(daily))
    assert "2023-11-15" == dict(daily.facts)["day"]
    story.end(info)
    (second,) = story.wait(86_400)
    assert {"VersionOld": "resolved"} == said(second)
    assert {} == story.alerts


def test_the_daily_letter_comes_also_when_all_is_well() -> None:
    assert [()] == [letter.items for letter in _days(1)]


def _days(number: int, first: str = "2026-03-27T12:00", hour: time = time(8)) -> list[Letter]:
    story = Story(policy(daily=Calendar(hour, PARIS)), now=at(first))
    story.look()
    return story.wait(number * 86_400)


@pytest.mark.parametrize("first", ["2026-03-27T12:00", "2026-10-23T12:00"])
@pytest.mark.parametrize("hour", [time(0), time(2, 30), time(8)])
def test_one_daily_letter_a_day_also_when_the_clocks_change(first: str, hour: time) -> None:
    days = [dict(letter.facts)["day"] for letter in _days(4, first, hour)]

    assert 4 == len(days) == len(set(days))


def test_a_daily_letter_that_was_missed_comes_late_on_the_same_day_but_not_the_next() -> None:
    story = Story(policy(daily=Calendar(time(8), PARIS)), now=at("2026-06-01T07:00"))
    story.look()
    story.now = at("2026-06-01T21:00")
    story.look()
    assert ["2026-06-01"] == [dict(letter.facts)["day"] for letter in story.letters]
    story.now = at("2026-06-05T07:00")
    story.look()
    assert 1 == len(story.letters)


def test_a_first_start_after_the_hour_sends_no_daily_letter() -> None:
    story = Story(policy(daily=Calendar(time(8), PARIS)), now=at("2026-06-01T15:00"))
    story.look()

    assert [] == story.letters
    assert 1 == len(story.wait(86_400))


def test_a_clock_that_was_a_year_ahead_costs_one_daily_letter() -> None:
    story = Story(policy(daily=Calendar(time(8), PARIS)), now=at("2027-06-01T07:00"))
    story.look()
    story.wait(7200)
    story.now = at("2026-06-01T07:00")
    story.look()

    assert 2 == len(story.wait(3 * 86_400))


def test_each_audience_gets_a_test_letter_each_week() -> None:
    story = Story(policy(weekly_test=Calendar(time(9), PARIS, weekday=0), routes=(Route(BOSS, "fr"),)))
    story.look()
    letters = story.wait(14 * 86_400)

    assert {LetterKind.TEST} == {letter.kind for letter in letters}
    assert [BOSS, TEAM] * 2 == [letter.recipients for letter in letters]
    assert {0} == {date.fromisoformat(dict(letter.facts)["day"]).weekday() for letter in letters}


def test_quiet_hours_hold_warnings_until_the_morning_but_no_critical() -> None:
    night = QuietHours(time(22), time(7, 30), timezone=PARIS)
    story = Story(policy(quiet_hours=(night,)), now=at("2026-06-01T23:00"))
    mark = story.fire("A")
    story.fire("InstanceDown", "critical", db_instance="pg2", category="availability")
    assert [{"InstanceDown": "firing"}] == [said(letter) for letter in story.wait(3600)]
    assert at("2026-06-02T07:30") == story.muted.reasons[mark].until

    assert {"A": "firing"} in [said(letter) for letter in story.wait(7.6 * 3600)]


def test_quiet_hours_are_of_the_day_on_which_they_start() -> None:
    friday = QuietHours(time(22), time(7), days=frozenset({4}), timezone=PARIS)

    assert at("2026-06-06T07:00") == friday.until(at("2026-06-06T03:00"))
    assert friday.until(at("2026-06-05T03:00")) is None
    assert friday.until(at("2026-06-06T23:00")) is None
    assert at("2026-06-06T00:00") == QuietHours(time(0), time(0), timezone=PARIS).until(at("2026-06-05T13:00"))


def test_an_alert_that_fits_both_sides_is_not_inhibited_by_its_like() -> None:
    twins = Inhibition(source=(("alertname", ("A", "B")),), target=(("alertname", ("B", "C")),), equal=("service",))
    story = Story(policy(inhibitions=(twins,)))
    marks = {name: story.put(name, db_instance=name) for name in "ABC"}
    story.look()
    assert {marks["B"], marks["C"]} == set(story.muted.reasons)

    story.alerts.pop(marks["A"])
    story.look()
    assert {marks["C"]} == set(story.muted.reasons)


def test_a_pending_source_inhibits_nothing_and_a_silence_to_come_is_waited_for() -> None:
    story = Story()
    down = story.put("InstanceDown", "critical", category="availability")
    mark = story.put("A")
    story.alerts[down] = replace(story.alerts[down], state=story.alerts[down].state.PENDING)
    later = Silence(1, (("alertname", "A"),), START + 100, START + 200, who="marie", comment="copy of the disk")
    assert (START + 100, {}) == _muted(story, START, later)
    until, reasons = _muted(story, START + 150, later)
    assert (START + 200, {mark: "marie: copy of the disk"}) == (until, reasons)


def _muted(story: Story, now: float, silence: Silence) -> tuple[float, dict[str, str]]:
    found = muting(now, story.alerts, story.memory, story.policy, silences=[silence])
    return found.until, {mark: mute.detail for mark, mute in found.reasons.items()}


def _letter(sequence: int, changes: Mapping[str, Change], kind: LetterKind = LetterKind.ALERT) -> Letter:
    story = Story()
    items = []
    for name, change in changes.items():
        mark = story.put(name)
        alert = story.alerts[mark]
        ended = replace(alert, state=alert.state.RESOLVED, resolved_at=START + 60)
        items.append(Item(ended if change in {Change.RESOLVED, Change.PASSED} else alert, change))
    return Letter(kind, "t", sequence, TEAM, "en", START + sequence, tuple(items))


@pytest.mark.parametrize(
    ("older", "newer", "both"),
    [
        ("firing", "resolved", "passed"),
        ("firing", "still", "firing"),
        ("firing", None, "firing"),
        ("still", "resolved", "resolved"),
        ("still", "still", "still"),
        ("still", None, "still"),
        ("resolved", "firing", "firing"),
        ("resolved", None, "resolved"),
        ("passed", "firing", "firing"),
        ("passed", None, "passed"),
        (None, "firing", "firing"),
    ],
)
def test_a_newer_letter_says_what_both_would_have_said(older: str | None, newer: str | None, both: str) -> None:
    first = _letter(3, {"A": Change(older)} if older else {})
    second = _letter(4, {"A": Change(newer)} if newer else {})
    letter = merged(first, second)

    assert {"A": both} == said(letter)
    assert (4, START + 4) == (letter.sequence, letter.at)


def test_an_escalation_that_has_not_left_stays_one() -> None:
    older = _letter(0, {"A": Change.FIRING, "B": Change.FIRING}, LetterKind.ESCALATION)

    assert LetterKind.ESCALATION is merged(older, _letter(1, {"A": Change.RESOLVED, "B": Change.STILL})).kind
    assert LetterKind.ALERT is merged(older, _letter(1, {"A": Change.RESOLVED, "B": Change.RESOLVED})).kind


def test_letters_merged_leave_their_reader_as_wise_as_each_of_them_would_have() -> None:
    first = _letter(0, {"A": Change.FIRING, "B": Change.FIRING})
    second = _letter(1, {"A": Change.RESOLVED, "B": Change.STILL})

    assert view([first, second]) == view([merged(first, second)])
