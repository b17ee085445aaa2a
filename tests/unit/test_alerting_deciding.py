"""Which letters leave when: each sentence of the mail policy as a story."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from dbwatch.core.alerting.memory import Memory, recalled
from dbwatch.core.alerting.model import Change, LetterKind, Silence
from dbwatch.core.alerting.policy import Route
from tests.alerting_story import START, TEAM, Story, policy, said

ONCALL = ("oncall@example.org",)
DBA = ("dba@example.org",)


def test_a_warning_waits_for_the_group_and_a_first_critical_five_seconds() -> None:
    calm, urgent = Story(), Story()
    calm.fire("SessionsBlocked")
    urgent.fire("InstanceDown", "critical")

    assert ([], 1) == (calm.wait(29.9), len(calm.wait(0.2)))
    assert ([], 1) == (urgent.wait(4.9), len(urgent.wait(0.2)))


def test_what_fires_together_is_one_letter() -> None:
    story = Story()
    story.fire("SessionsBlocked")
    story.wait(20)
    story.fire("LongTransaction")

    (letter,) = story.wait(60)

    assert {"SessionsBlocked": "firing", "LongTransaction": "firing"} == said(letter)
    assert (("category", "locks"), ("service", "citizens")) == letter.group
    assert (LetterKind.ALERT, TEAM, "en", 0) == (letter.kind, letter.recipients, letter.language, letter.sequence)


def test_services_and_categories_have_letters_of_their_own() -> None:
    story = Story()
    story.fire("A")
    story.fire("B", service="taxes")
    story.fire("C", category="memory")

    assert [{"A": "firing"}, {"B": "firing"}, {"C": "firing"}] == [said(letter) for letter in story.wait(60)]


def test_a_second_letter_of_a_group_waits_for_its_interval_and_says_what_still_fires() -> None:
    story = Story()
    story.fire("A")
    first = story.wait(40)
    story.fire("B")

    assert [] == story.wait(280)
    (second,) = story.wait(20)
    assert {"A": "still", "B": "firing"} == said(second)
    assert (first[0].thread, 1) == (second.thread, second.sequence)


def test_the_first_critical_of_a_group_does_not_wait_for_the_interval() -> None:
    story = Story()
    story.fire("A")
    story.wait(60)
    story.fire("B", "critical")
    assert {"A": "still", "B": "firing"} == said(story.wait(5)[0])
    story.fire("C", "critical")
    assert [] == story.wait(280)
    assert 1 == len(story.wait(20))


def test_after_a_quiet_time_news_wait_only_for_the_group() -> None:
    story = Story()
    story.fire("A")
    story.wait(3000)
    story.fire("B")

    assert 1 == len(story.wait(30))


def test_who_got_the_firing_letter_gets_the_resolve_letter_and_nobody_else() -> None:
    story = Story(policy(routes=(Route(ONCALL, "en", (("severity", ("critical",)),)),)))
    mark = story.fire("InstanceDown", "critical")
    story.wait(10)
    story.end(mark)
    story.wait(600)

    assert [ONCALL, ONCALL] == [letter.recipients for letter in story.letters]
    assert [{"InstanceDown": "firing"}, {"InstanceDown": "resolved"}] == [said(letter) for letter in story.letters]


def test_a_letter_says_that_nothing_is_measured_any_more() -> None:
    story = Story()
    mark = story.fire("A")
    story.wait(60)
    story.end(mark, is_measured=False)

    assert {"A": "unmeasured"} == said(story.wait(600)[0])


def test_without_resolve_mails_nobody_is_told_of_the_end_but_of_the_next_start() -> None:
    story = Story(policy(resolve_mails=False))
    mark = story.fire("A")
    story.wait(60)
    story.end(mark)

    assert [] == story.wait(3600)
    story.fire("A")
    assert {"A": "firing"} == said(story.wait(60)[0])


def test_what_goes_on_is_repeated_every_four_hours_unless_acknowledged() -> None:
    story = Story()
    mark = story.fire("A")
    first = story.wait(30)[0]

    repeats = story.wait(3 * 14_400)
    assert [{"A": "still"}] * 3 == [said(letter) for letter in repeats]
    assert [1, 2, 3] == [letter.sequence for letter in repeats]
    assert {first.thread} == {letter.thread for letter in repeats}

    story.acknowledge(mark)
    assert [] == story.wait(2 * 14_400)
    story.end(mark)
    assert {"A": "resolved"} == said(story.wait(60)[0])


def test_a_letter_shows_what_somebody_has_in_hand() -> None:
    story = Story()
    story.acknowledge(story.fire("A"))

    assert [True] == [item.is_acknowledged for item in story.wait(60)[0].items]


def test_a_new_fault_after_everything_ended_is_a_new_conversation() -> None:
    story = Story()
    mark = story.fire("A")
    story.wait(60)
    story.end(mark)
    story.wait(600)
    story.fire("A")
    story.wait(600)

    first, ended, second = story.letters
    assert first.thread == ended.thread != second.thread
    assert (0, 1, 0) == (first.sequence, ended.sequence, second.sequence)


def test_a_warning_that_ends_before_its_letter_is_not_told_and_a_critical_is_told_as_passed() -> None:
    story = Story()
    warning = story.fire("A")
    story.wait(10)
    story.end(warning)
    assert [] == story.wait(600)

    critical = story.fire("InstanceDown", "critical")
    story.wait(2)
    story.end(critical)
    assert {"InstanceDown": "passed"} == said(story.wait(60)[0])
    assert [] == story.wait(3600)


def test_what_ends_and_fires_again_between_two_letters_is_no_news() -> None:
    story = Story()
    mark = story.fire("A")
    story.wait(40)
    story.end(mark)
    story.wait(60)
    story.again(mark)

    assert [] == story.wait(3600)


def test_what_fires_again_while_its_end_is_owed_is_told_once_it_ended() -> None:
    story = Story()
    mark = story.fire("A")
    story.wait(40)
    story.end(mark)
    story.alerts[mark] = replace(story.alerts[mark], state=story.alerts[mark].state.PENDING, active_at=story.now)

    assert {"A": "resolved"} == said(story.wait(600)[0])


def test_info_is_never_mailed_by_itself() -> None:
    story = Story()
    story.fire("VersionOld", "info")

    assert [] == story.wait(86_400)


def test_the_first_route_that_fits_wins() -> None:
    routes = (
        Route(ONCALL, "fr", (("severity", ("critical",)), ("env", ("prod", "dr")))),
        Route(DBA, "en", (("team", ("dba",)),)),
    )
    story = Story(policy(routes=routes))
    story.fire("A", "critical", env="dr", team="dba")
    story.fire("B", "critical", env="test", team="dba", service="b")
    story.fire("C", "critical", service="c")

    letters = story.wait(60)
    assert [(ONCALL, "fr"), (DBA, "en"), (TEAM, "en")] == [(each.recipients, each.language) for each in letters]


def test_without_a_route_nobody_is_told() -> None:
    story = Story(policy(default=None, routes=(Route(DBA, "en", (("team", ("dba",)),)),)))
    story.fire("A", "critical")

    assert [] == story.wait(86_400)


def test_a_route_that_changed_tells_the_new_ones_and_the_end_to_the_old_ones_too() -> None:
    story = Story()
    mark = story.fire("A")
    story.wait(60)
    story.under(default=Route(DBA, "en"))
    assert [DBA] == [letter.recipients for letter in story.wait(2 * 14_400)][:1]
    assert TEAM not in [letter.recipients for letter in story.letters[2:]]

    story.end(mark)
    assert {TEAM, DBA} == {letter.recipients for letter in story.wait(600)}


def test_other_groups_after_a_reload_tell_nothing_anew() -> None:
    story = Story()
    story.fire("A")
    story.wait(60)
    story.under(group_by=("db_instance",))

    assert [] == story.wait(3600)


def test_instance_down_inhibits_the_others_and_what_they_owe_is_told_when_it_lifts() -> None:
    story = Story()
    lag = story.fire("ReplicationLagHigh")
    story.wait(60)
    down = story.fire("InstanceDown", "critical", category="availability")
    story.wait(10)
    story.fire("SessionsBlocked")
    story.end(lag)
    other = story.fire("SessionsBlocked", db_instance="pg2", service="other")
    assert [{"SessionsBlocked": "firing"}] == [said(letter) for letter in story.wait(3600)]
    assert "inhibited" == story.muted.reasons[lag].reason
    assert other not in story.muted.reasons

    story.end(down)
    letters = [said(letter) for letter in story.wait(600)]
    assert [{"ReplicationLagHigh": "resolved", "SessionsBlocked": "firing"}, {"InstanceDown": "resolved"}] == letters


def test_what_fires_and_ends_under_inhibition_is_told_to_nobody() -> None:
    story = Story()
    down = story.fire("InstanceDown", "critical", category="availability")
    mark = story.fire("SessionsBlocked", "critical")
    story.wait(3600)
    story.end(mark)
    story.end(down)

    assert [{"InstanceDown": "resolved"}] == [said(letter) for letter in story.wait(3600)]


def test_maintenance_mutes_an_instance_and_what_goes_on_after_it_is_told() -> None:
    story = Story(maintenance={"pg1": None})
    story.fire("A", "critical")
    story.fire("B", db_instance="pg2", service="other")
    assert [{"B": "firing"}] == [said(letter) for letter in story.wait(3600)]

    story.maintenance = {}
    story.look()
    assert [{"A": "firing"}] == [said(letter) for letter in story.wait(60)]


def test_a_silence_ends_by_itself_and_the_end_that_it_muted_is_told_then() -> None:
    story = Story()
    mark = story.fire("A")
    story.wait(60)
    story.silences = [Silence(1, (("alertname", "A"), ("db_instance", "pg1")), story.now, story.now + 3600)]
    story.end(mark)

    assert [] == story.wait(3599)
    assert [{"A": "resolved"}] == [said(letter) for letter in story.wait(60)]


def test_flapping_is_told_six_times_an_hour_and_again_when_it_holds_still() -> None:
    story = Story()
    mark = story.fire("A")
    for _ in range(12):
        story.wait(301)
        story.turn(mark)
    flapping = [letter for letter in story.letters if letter.items[0].is_flapping]

    assert 6 == len(story.letters)
    assert [story.letters[5]] == flapping
    assert Change.RESOLVED is story.letters[5].items[0].change
    story.wait(890)
    assert 6 == len(story.letters)
    story.wait(60)
    assert [{"A": "firing"}] == [said(letter) for letter in story.letters[6:]]


def test_after_a_restart_nobody_is_told_twice() -> None:
    story = Story(is_restarting=True)
    story.fire("A")
    story.wait(20)
    assert 1 == len(story.wait(600))
    assert Memory() != story.memory
    assert story.memory == recalled(json.loads(json.dumps(story.memory.to_json()))).memory


@pytest.mark.parametrize("stored", [{"version": 0}, {"version": 1}, {"version": 1, "threads": [[1]]}, {"x": 1}])
def test_a_memory_that_cannot_be_read_starts_empty_and_says_so(stored: dict[str, object]) -> None:
    memory, problem = recalled(stored)

    assert Memory() == memory
    assert "told anew" in problem


def test_no_memory_yet_is_no_problem() -> None:
    assert (Memory(), "") == recalled({})


def test_a_clock_that_was_set_back_delays_nothing_longer_than_its_interval() -> None:
    story = Story()
    story.fire("A")
    story.wait(60)
    story.fire("B")
    story.now = START - 86_400
    story.look()

    assert [{"A": "still", "B": "firing"}] == [said(letter) for letter in story.wait(300)]
    assert [{"A": "still", "B": "still"}] == [said(letter) for letter in story.wait(14_400)]


def test_an_alert_that_the_caller_lost_is_not_waited_for() -> None:
    story = Story()
    mark = story.fire("A")
    story.wait(60)
    del story.alerts[mark]

    assert [] == story.wait(3600)
    assert {} == story.memory.threads


def test_who_is_owed_nothing_is_forgotten_at_once_and_who_is_only_then() -> None:
    story = Story()
    told, untold = story.fire("A"), story.fire("B", "info")
    story.wait(60)
    story.end(untold)
    assert untold not in story.alerts
    story.end(told)
    assert told in story.alerts
    story.wait(600)
    assert {} == story.alerts


def test_ten_thousand_alerts_in_five_hundred_conversations_are_decided_quickly() -> None:
    story = Story(policy(storm_limit=10_000))
    for number in range(10_000):
        story.put(f"A{number}", "warning", service=f"s{number % 500}", summary="x" * 80)
    story.look()
    story.wait(31)
    assert 500 == len(story.letters)
    for mark in list(story.alerts)[:5000]:
        story.alerts[mark] = replace(story.alerts[mark], value=2.0)

    took = []
    for _ in range(3):
        began = time.perf_counter()
        story.look()
        took.append(time.perf_counter() - began)
    assert min(took) < 4.0  # 0.2 on a machine of its own; what grows with the square of the alerts takes minutes
