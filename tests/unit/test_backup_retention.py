"""What is kept and what may go: the stories that went wrong elsewhere, and every history that Hypothesis thinks of."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbwatch.core.backups.freezing import Circumstances, FreezeReason
from dbwatch.core.backups.model import BackupRecord, JobReason, JobState, Proof, ProofLevel, ProofName
from dbwatch.core.backups.retention import Plan, Policy, lines, plan
from dbwatch.core.backups.standing import is_disproved, is_proven, is_verified
from dbwatch.settings.backups import Retention
from tests.backup_sets import DAY, HOUR, NOON, daily, failure, record, run

if TYPE_CHECKING:
    import random

LAST_ONLY = Policy(keep_last=2, daily=0, weekly=0, monthly=0)
PARIS = "Europe/Paris"


def numbers(records: tuple[BackupRecord, ...]) -> list[int]:
    return [each.manifest.sequence for each in records]


def reasons(decided: Plan) -> dict[int, tuple[str, ...]]:
    return {each.record.manifest.sequence: each.reasons for each in decided.decisions}


def frozen(decided: Plan) -> list[FreezeReason]:
    return [each.reason for each in decided.frozen]


def paris(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(PARIS)).timestamp()


def test_without_sets_there_is_nothing_to_do() -> None:
    assert plan([], Policy(), NOON) == Plan((), (), Policy())


def test_the_settings_are_the_policy() -> None:
    written = Retention(keep_last=5, within=DAY, timezone="UTC")

    assert Policy(keep_last=5, within=DAY, timezone="UTC") == written.policy


def test_grandfather_father_and_son_each_with_its_reason() -> None:
    policy = Policy(keep_last=1, daily=3, weekly=2, monthly=2, max_deletions=100, timezone=PARIS)
    decided = plan(daily(60), policy, NOON + HOUR)

    assert numbers(decided.keep) == [60, 59, 58, 33]
    assert reasons(decided)[60] == (
        *("newest", "newest compared", "one of the 2 newest proven", "one of the last 1"),
        *("daily 2026-10-27", "weekly 2026-W44", "monthly 2026-10"),
    )
    assert reasons(decided)[58] == ("daily 2026-10-25", "weekly 2026-W43")
    assert reasons(decided)[33] == ("monthly 2026-09",)
    assert reasons(decided)[1] == ("no slot needs it",)


def test_only_proven_sets_fill_slots_and_others_push_none_out() -> None:
    proven = daily(3, last_at=NOON - 10 * DAY)
    broken = [
        record(4 + day, NOON - (8 - day) * DAY, "published", failed=failure(ProofName.DECODED, JobReason.CORRUPT))
        for day in range(8)
    ]
    sound = record(12, NOON)
    decided = plan([*proven, *broken, sound], replace(LAST_ONLY, daily=3, keep_last=1), NOON)

    assert {12, 3, 2} <= set(numbers(decided.keep))
    assert 4 in numbers(decided.delete)  # more than seven days old
    assert reasons(decided)[4] == ("bad, and older than 7 days",)
    assert reasons(decided)[11] == ("bad, but younger than 7 days",)


def test_days_are_those_of_the_time_zone() -> None:
    late = [record(1, paris("2026-10-20 23:30")), record(2, paris("2026-10-21 00:30"))]  # one day in UTC
    policy = replace(LAST_ONLY, keep_last=1, daily=2, min_verified=1)

    assert numbers(plan(late, replace(policy, timezone=PARIS), NOON).delete) == []
    assert numbers(plan(late, replace(policy, timezone="UTC"), NOON).delete) == [1]


def test_the_hour_that_comes_twice_in_autumn_is_two_hours() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo(PARIS)).timestamp()
    sets = [record(1, first), record(2, first + HOUR), record(3, first + 2 * HOUR)]
    policy = replace(LAST_ONLY, keep_last=1, min_verified=1, hourly=3, timezone=PARIS)
    decided = plan(sets, policy, first + 3 * HOUR)

    assert numbers(decided.delete) == []
    assert "hourly 2026-10-25 02:00 +0200" in reasons(decided)[1]
    assert "hourly 2026-10-25 02:00 +0100" in reasons(decided)[2]


def test_the_day_of_23_hours_has_one_slot() -> None:
    start = paris("2026-03-29 00:30")
    sets = [record(number, start + number * HOUR) for number in range(1, 22)]
    policy = replace(LAST_ONLY, keep_last=1, min_verified=1, daily=2, timezone=PARIS)

    assert numbers(plan(sets, policy, start + DAY).keep) == [21]


def test_the_week_across_new_year_is_one_week() -> None:
    sets = [record(1, paris("2026-12-31 12:00")), record(2, paris("2027-01-01 12:00"))]
    policy = replace(LAST_ONLY, keep_last=1, min_verified=1, weekly=2, timezone=PARIS)
    decided = plan(sets, policy, paris("2027-01-01 13:00"))

    assert numbers(decided.delete) == [1]
    assert "weekly 2026-W53" in reasons(decided)[2]


def test_slots_are_periods_that_hold_a_set_so_that_a_long_pause_empties_nothing() -> None:
    sets = daily(5)

    assert numbers(plan(sets, Policy(), NOON + 400 * DAY).delete) == []


def test_sets_are_ordered_by_number_not_by_clock() -> None:
    sets = [record(1, NOON), record(2, NOON - 5 * DAY), record(3, NOON - 4 * DAY)]  # the clock was set back
    decided = plan(sets, replace(LAST_ONLY, min_verified=1), NOON + DAY)

    assert numbers(decided.delete) == [1]
    assert "newest" in reasons(decided)[3]


def test_what_is_pinned_stays_and_says_so() -> None:
    sets = [replace(daily(9)[0], pinned=True), *daily(9)[1:]]
    decided = plan(sets, LAST_ONLY, NOON)

    assert 1 in numbers(decided.keep)
    assert reasons(decided)[1] == ("pinned",)


def test_within_keeps_all_that_is_young() -> None:
    decided = plan(daily(9), replace(LAST_ONLY, within=5 * DAY), NOON)

    assert numbers(decided.keep) == [9, 8, 7, 6, 5, 4]
    assert reasons(decided)[4] == ("younger than 5 days",)


def test_the_newest_compared_set_stays_however_old() -> None:
    sets = [record(1, NOON - 300 * DAY), *daily(10, "decoded", first=2)]
    decided = plan(sets, LAST_ONLY, NOON)

    assert "newest compared" in reasons(decided)[1]
    assert numbers(decided.delete) == list(range(2, 10))


def test_so_many_go_in_one_pass_the_oldest_first() -> None:
    sets = daily(10)
    policy = replace(LAST_ONLY, max_deletions=3)
    decided = plan(sets, policy, NOON)

    assert numbers(decided.delete) == [1, 2, 3]
    assert reasons(decided)[4] == ("goes with a later pass: 3 at a time",)
    assert numbers(plan(decided.keep, policy, NOON).delete) == [4, 5, 6]


def test_unproven_sets_stay_while_too_little_is_proven() -> None:
    sets = [*daily(5, "published", last_at=NOON - 30 * DAY), record(6, NOON)]
    decided = plan(sets, LAST_ONLY, NOON)

    assert numbers(decided.delete) == []
    assert reasons(decided)[1] == ("only 1 of 2 sets are proven",)


def test_the_newest_set_stays_even_when_it_is_unproven_and_old() -> None:
    sets = [*daily(4, last_at=NOON - 10 * DAY), record(5, NOON - 9 * DAY, "none")]

    assert 5 in numbers(plan(sets, LAST_ONLY, NOON).keep)


def test_a_set_that_wants_an_extension_counts_as_what_it_is_and_freezes_nothing() -> None:
    wanting = failure(ProofName.RESTORED, JobReason.NO_EXTENSION)
    sets = [record(day, NOON - (6 - day) * DAY, "decoded", failed=wanting) for day in range(1, 7)]
    decided = plan(sets, LAST_ONLY, NOON, Circumstances(restored_within=8 * DAY))

    assert decided.frozen == ()
    assert numbers(decided.delete) == [1, 2, 3, 4]


def test_sealed_sets_without_a_key_fill_slots_but_never_replace_what_was_restored() -> None:
    sealed = failure(ProofName.DECODED, JobReason.NO_KEY)
    restored = daily(3, last_at=NOON - 20 * DAY)
    sets = [*restored, *(record(day, NOON - (10 - day) * DAY, "hashed", failed=sealed) for day in range(4, 11))]
    decided = plan(sets, LAST_ONLY, NOON, Circumstances(restored_within=8 * DAY))

    assert decided.frozen == ()
    assert numbers(decided.keep) == [10, 9, 3, 2]
    assert reasons(decided)[3] == ("newest compared", "one of the 2 newest proven")


def test_a_restore_that_differed_is_no_proof_though_the_set_could_be_read() -> None:
    sets = [
        *daily(3, last_at=NOON - DAY),
        record(4, NOON, "decoded", failed=failure(ProofName.COMPARED, JobReason.MISMATCH)),
    ]
    decided = plan(sets, replace(LAST_ONLY, keep_last=1), NOON)

    assert frozen(decided) == [FreezeReason.DISPROVED]
    assert "one of the last 1" in reasons(decided)[3]


def test_the_table_of_a_dry_run_tells_each_decision() -> None:
    table = lines(plan(daily(4), replace(LAST_ONLY, timezone=PARIS), NOON))

    assert table[-1] == (
        "20261027T120000Z-000001-1a2b3c4d",
        "2026-10-24 12:00:00 UTC",
        "compared",
        "delete",
        "no slot needs it",
    )
    assert [line.action for line in table] == ["keep", "keep", "delete", "delete"]


def test_sets_of_two_instances_are_never_weighed_against_each_other() -> None:
    with pytest.raises(ValueError, match="one instance"):
        plan([record(1), record(2, instance="pg2")], Policy(), NOON)


# Whatever happens. Each set is one step after the one before, which may go back in time.

STEP = st.one_of(st.just(DAY), st.floats(60.0, 3 * DAY), st.sampled_from([-3 * DAY, 40 * DAY, HOUR]))
PROVEN = st.sampled_from(["none", "published", "hashed", "decoded", "restored", "compared", "compared", "compared"])
FAILED = st.sampled_from(
    [
        None,
        None,
        None,
        failure(ProofName.HASHED, JobReason.CORRUPT),
        failure(ProofName.COMPARED, JobReason.MISMATCH),
        failure(ProofName.RESTORED, JobReason.INCOMPLETE),
        failure(ProofName.RESTORED, JobReason.TOOL),
        failure(ProofName.RESTORED, JobReason.NO_EXTENSION),
        failure(ProofName.DECODED, JobReason.NO_KEY),
        failure(ProofName.RESTORED, JobReason.DISK_FULL),
    ]
)
SETS = st.lists(
    st.tuples(STEP, PROVEN, FAILED, st.sampled_from([False] * 9 + [True]), st.sampled_from([1000] * 9 + [10])),
    max_size=40,
)
COUNT = st.integers(0, 4)
POLICIES = st.builds(
    Policy,
    keep_last=st.integers(1, 4),
    hourly=COUNT,
    daily=COUNT,
    weekly=COUNT,
    monthly=COUNT,
    yearly=COUNT,
    within=st.none() | st.just(5 * DAY),
    min_verified=st.integers(1, 4),
    max_deletions=st.integers(1, 50),
    failed_for=st.just(7 * DAY),
    timezone=st.sampled_from([PARIS, "UTC", "Pacific/Apia", "Australia/Lord_Howe"]),
)
LAST_RUN = st.sampled_from([None, run(), run(JobState.FAILED, JobReason.TOOL), run(JobState.ORPHANED)])
CIRCUMSTANCES = st.builds(
    Circumstances,
    last_run=LAST_RUN,
    clock_seen=st.none() | st.just(NOON) | st.just(NOON + 300 * DAY),
    clock_jumped=st.none() | st.just(3 * DAY),
    restored_within=st.none() | st.just(8 * DAY),
)
PASS_LATER = st.sampled_from([0.0, 60.0, DAY, 400 * DAY, -2 * DAY])


Steps = list[tuple[float, str, Proof | None, bool, int]]


def history(steps: Steps) -> tuple[list[BackupRecord], float]:
    """Its sets, and the moment of the last one."""
    at, made = NOON - 100 * DAY, []
    for number, (step, proof, failed, pinned, size) in enumerate(steps, 1):
        at += step
        one = record(number, at, proof, pinned=pinned, size_bytes=size)
        made.append(replace(one, proofs=(*one.proofs, *([failed] if failed else []))))
    return made, at


@settings(max_examples=80, deadline=None)
@given(SETS, POLICIES, CIRCUMSTANCES, PASS_LATER)
def test_the_last_proven_sets_are_never_deleted(
    steps: Steps, policy: Policy, circumstances: Circumstances, later: float
) -> None:
    sets, at = history(steps)
    left = plan(sets, policy, at + later, circumstances).keep

    compared = [each for each in sets if each.level >= ProofLevel.L3 and is_verified(each)]
    verified = [each for each in sets if is_verified(each)]
    proven = [each for each in sets if is_proven(each)]
    assert not compared or compared[-1] in left
    assert set(numbers(tuple(verified[-policy.min_verified :]))) <= set(numbers(left))
    assert set(numbers(tuple(proven[-policy.keep_last :]))) <= set(numbers(left))
    assert not sets or sets[-1] in left
    assert all(each in left for each in sets if each.pinned)


@settings(max_examples=80, deadline=None)
@given(SETS, POLICIES, CIRCUMSTANCES, PASS_LATER)
def test_nothing_is_deleted_while_frozen_and_never_more_than_so_many(
    steps: Steps, policy: Policy, circumstances: Circumstances, later: float
) -> None:
    sets, at = history(steps)
    decided = plan(sets, policy, at + later, circumstances)

    assert len(decided.delete) <= (0 if decided.frozen else policy.max_deletions)
    assert sorted(numbers(decided.keep + decided.delete)) == [each.manifest.sequence for each in sets]
    assert all(each.reasons and all(each.reasons) for each in decided.decisions)
    assert len(lines(decided)) == len(sets)


@settings(max_examples=80, deadline=None)
@given(SETS, POLICIES)
def test_a_second_pass_right_after_deletes_only_what_the_first_left_over(steps: Steps, policy: Policy) -> None:
    sets, at = history(steps)
    first = plan(sets, policy, at + HOUR)
    waiting = [each.record.id for each in first.decisions if "later pass" in each.reasons[0]]
    second = plan(first.keep, policy, at + HOUR)

    assert {each.id for each in second.delete} <= set(waiting)
    if first.delete and not waiting:
        assert second.delete == ()


@settings(max_examples=50, deadline=None)
@given(SETS, POLICIES, CIRCUMSTANCES, st.randoms(use_true_random=False))
def test_the_order_in_which_sets_are_given_is_irrelevant(
    steps: Steps, policy: Policy, circumstances: Circumstances, shuffler: random.Random
) -> None:
    sets, at = history(steps)
    mixed = list(sets)
    shuffler.shuffle(mixed)

    assert plan(sets, policy, at, circumstances) == plan(mixed, policy, at, circumstances)


@settings(max_examples=50, deadline=None)
@given(SETS, POLICIES, st.lists(st.sampled_from(["none", "published", "hashed"]), max_size=5))
def test_unproven_sets_change_nothing_for_proven_ones(steps: Steps, policy: Policy, more: list[str]) -> None:
    sets, at = history(steps)
    unlimited = replace(policy, max_deletions=1000)
    unproven = [record(1000 + number, at, proof) for number, proof in enumerate(more)]
    alone, beside = plan(sets, unlimited, at + HOUR), plan([*sets, *unproven], unlimited, at + HOUR)

    if not alone.frozen and not beside.frozen:
        kept = {each.id for each in alone.keep if is_proven(each) and each != sets[-1]}
        assert kept <= {each.id for each in beside.keep}


@settings(max_examples=40, deadline=None)
@given(SETS, POLICIES)
def test_what_goes_is_proven_and_not_needed_or_unproven_and_old(steps: Steps, policy: Policy) -> None:
    sets, at = history(steps)
    decided = plan(sets, policy, at + HOUR)

    proven = [each for each in sets if is_proven(each)]
    for each in decided.delete:
        assert is_proven(each) or (
            at + HOUR - each.manifest.ended_at > policy.failed_for and len(proven) >= policy.min_verified
        )
        assert not each.problem
        assert is_proven(each) or is_disproved(each) or each.level < ProofLevel.L2
