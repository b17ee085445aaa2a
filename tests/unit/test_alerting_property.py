"""Whatever alerts do: who reads all letters knows the truth in the end, and nobody reads too many."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dbwatch.core.alerting.memory import recalled
from dbwatch.core.alerting.merging import merged
from dbwatch.core.alerting.model import Alert, AlertState, Letter, LetterKind, Severity, fingerprint, pairs
from dbwatch.core.alerting.policy import Audience, Policy, Route
from tests.alerting_story import TEAM, Story, labelled, policy, view

BOSS, ONCALL = ("boss@example.org",), ("oncall@example.org",)
RULES = [("InstanceDown", "critical"), ("A", "critical"), ("B", "warning"), ("C", "warning"), ("VersionOld", "info")]
INSTANCES = ["pg1", "pg2", "pg3", "pg4"]
POLICY = policy(
    routes=(Route(ONCALL, "fr", (("severity", ("critical",)), ("db_instance", ("pg1", "pg2")))),),
    escalation=Route(BOSS, "fr"),
    storm_limit=3,
)
LONG_ENOUGH_SECONDS = 4000.0

ALERT = st.tuples(st.sampled_from(RULES), st.sampled_from(INSTANCES))
EVENT = st.one_of(
    st.tuples(st.just("turn"), st.lists(ALERT, min_size=1, max_size=6)),
    st.tuples(st.just("turn"), st.lists(ALERT, min_size=1, max_size=6)),
    st.tuples(st.just("rest"), ALERT),
    st.tuples(st.just("mute"), st.sampled_from(INSTANCES)),
    st.tuples(st.just("acknowledge"), ALERT),
)
EVENTS = st.lists(
    st.tuples(EVENT, st.one_of(st.integers(0, 60), st.integers(0, 900), st.just(14_400))), min_size=1, max_size=25
)


def mark_of(alert: tuple[tuple[str, str], str]) -> str:
    (name, severity), instance = alert
    return fingerprint(pairs(labels_of(name, severity, instance)))


def labels_of(name: str, severity: str, instance: str) -> dict[str, str]:
    return labelled(name, severity, db_instance=instance, service=instance)


def turn(story: Story, alert: tuple[tuple[str, str], str]) -> None:
    (name, severity), instance = alert
    known = story.alerts.get(mark_of(alert))
    if known is None or known.state is not AlertState.FIRING:
        story.put(name, severity, db_instance=instance, service=instance)
    else:
        story.alerts[known.fingerprint] = replace(known, state=AlertState.RESOLVED, resolved_at=story.now)


def rest(story: Story, alert: tuple[tuple[str, str], str]) -> None:
    """What has ended is about to fire again."""
    known = story.alerts.get(mark_of(alert))
    if known is not None and known.state is AlertState.RESOLVED:
        story.alerts[known.fingerprint] = replace(known, state=AlertState.PENDING, active_at=story.now)


def happen(story: Story, event: tuple[str, object]) -> None:
    match event:
        case ("turn", list(alerts)):
            for alert in alerts:
                turn(story, alert)
        case ("rest", tuple(alert)):
            rest(story, alert)
        case ("mute", str(instance)):
            story.maintenance = {} if instance in story.maintenance else {instance: None}
        case ("acknowledge", tuple(alert)):
            story.acknowledged.add(mark_of(alert))
        case _:
            raise AssertionError(event)
    story.look()


def told(events: list[tuple[tuple[str, object], int]], how: Policy = POLICY) -> Story:
    story = Story(how, is_restarting=True)
    for event, seconds in events:
        happen(story, event)
        story.wait(seconds)
        assert story.memory == recalled(json.loads(json.dumps(story.memory.to_json()))).memory
    return story


def settled(story: Story) -> Story:
    """Nothing is muted any more, and time enough has passed."""
    for mark, alert in list(story.alerts.items()):
        if alert.state is AlertState.PENDING:
            story.alerts[mark] = replace(alert, state=AlertState.RESOLVED)
    story.maintenance = {}
    story.look()
    story.wait(LONG_ENOUGH_SECONDS)
    return story


def truth(story: Story) -> dict[Audience, set[str]]:
    """What each audience of a route should know."""
    known: dict[Audience, set[str]] = {}
    for mark, alert in story.alerts.items():
        audience = story.policy.audience(dict(alert.labels))
        if audience and is_told(story, mark, alert):
            known.setdefault(audience, set()).add(mark)
    return known


def is_told(story: Story, mark: str, alert: Alert) -> bool:
    return alert.state is AlertState.FIRING and alert.severity is not Severity.INFO and mark not in story.muted.reasons


def without_muted(known: dict[Audience, set[str]], story: Story) -> dict[Audience, set[str]]:
    left = {audience: marks - set(story.muted.reasons) for audience, marks in known.items()}
    return {audience: marks for audience, marks in left.items() if marks}


@settings(max_examples=120, deadline=None)
@given(EVENTS)
def test_who_reads_all_letters_knows_the_truth_once_nothing_is_muted(
    events: list[tuple[tuple[str, object], int]],
) -> None:
    story = settled(told(events))
    believed = without_muted(view(story.letters), story)
    escalated = believed.pop(Audience(BOSS, "fr"), set())

    assert truth(story) == believed
    assert escalated <= {mark for marks in believed.values() for mark in marks}


@settings(max_examples=80, deadline=None)
@given(EVENTS)
def test_letters_merged_because_none_could_leave_tell_the_same(events: list[tuple[tuple[str, object], int]]) -> None:
    waiting: dict[str, Letter] = {}
    story = settled(told(events))
    for letter in story.letters:
        older = waiting.pop(letter.thread, None)
        waiting[letter.thread] = letter if older is None else merged(older, letter)

    for name, letters in by_thread(story.letters).items():
        assert non_empty(view(letters)) == non_empty(view([waiting[name]]))


def by_thread(letters: list[Letter]) -> dict[str, list[Letter]]:
    threads: dict[str, list[Letter]] = {}
    for letter in letters:
        threads.setdefault(letter.thread, []).append(letter)
    return threads


def non_empty(known: dict[Audience, set[str]]) -> dict[Audience, set[str]]:
    return {audience: marks for audience, marks in known.items() if marks}


@settings(max_examples=80, deadline=None)
@given(EVENTS)
def test_nobody_gets_too_many_letters(events: list[tuple[tuple[str, object], int]]) -> None:
    story = settled(told(events))

    for letters in by_thread(story.letters).values():
        assert list(range(len(letters))) == [letter.sequence for letter in letters]
        assert sum(after.at - before.at < POLICY.group_interval for before, after in pairwise(letters)) <= 1
    for recipients in (TEAM, ONCALL):
        times = [each.at for each in story.letters if each.recipients == recipients and each.kind is LetterKind.ALERT]
        assert all(
            after - before >= POLICY.storm_window
            for before, after in zip(times, times[POLICY.storm_limit :], strict=False)
        )
