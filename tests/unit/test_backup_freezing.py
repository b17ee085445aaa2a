"""When retention holds still: whatever looks wrong, with the reason in words; and never for what is no fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbwatch.core.backups.freezing import NONE, Circumstances, FreezeReason, reasons
from dbwatch.core.backups.model import BackupRecord, JobReason, JobState, Proof, ProofName
from dbwatch.core.backups.periods import lasting
from dbwatch.core.backups.standing import disproof, is_disproved, is_proven
from tests.backup_sets import DAY, HOUR, NOON, daily, failure, record, run


def told(sets: list[BackupRecord], now: float = NOON, circumstances: Circumstances = NONE) -> dict[FreezeReason, str]:
    newest_first = sorted(sets, key=lambda each: each.manifest.sequence, reverse=True)
    return {each.reason: each.detail for each in reasons(newest_first, now, circumstances)}


def test_all_is_well() -> None:
    assert told(daily(9), NOON + HOUR, Circumstances(run(), NOON, 0.0, 8 * DAY)) == {}


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.ORPHANED, JobState.CANCELLED])
def test_the_last_run_failed(state: JobState) -> None:
    found = told(daily(3), NOON, Circumstances(run(state, JobReason.DISK_FULL, "no space left")))

    assert found == {FreezeReason.LAST_RUN_FAILED: f"the last backup {state} (disk_full): no space left"}


def test_a_run_that_was_ended_once_its_set_was_published_made_a_backup_as_soon_as_that_is_proven() -> None:
    sets = daily(3)
    ended = Circumstances(replace(run(JobState.ORPHANED, JobReason.ORPHANED), backup=sets[-1].id))

    assert told(sets, NOON, ended) == {}
    assert FreezeReason.LAST_RUN_FAILED in told([*sets[:-1], replace(sets[-1], proofs=())], NOON, ended)
    assert FreezeReason.LAST_RUN_FAILED in told([*sets[:-1], replace(sets[-1], problem="it is cut")], NOON, ended)
    assert FreezeReason.LAST_RUN_FAILED in told(sets[:-1], NOON, ended)


def test_a_run_that_found_another_at_work_is_no_failure() -> None:
    assert told(daily(3), NOON, Circumstances(run(JobState.FAILED, JobReason.BUSY))) == {}


def test_sets_pile_up_that_nobody_proves() -> None:
    sets = [*daily(3, last_at=NOON - 3 * DAY), *daily(3, "published", first=4)]

    assert "000004" in told(sets)[FreezeReason.VERIFICATION_OVERDUE]
    assert told(sets[:4], sets[3].manifest.ended_at + HOUR) == {}  # it may still be at it


def test_nothing_was_ever_proven() -> None:
    assert FreezeReason.VERIFICATION_OVERDUE in told(daily(5, "hashed"))


def test_nothing_was_restored_for_too_long() -> None:
    sets = [*daily(3, last_at=NOON - 12 * DAY), *daily(12, "decoded", first=4)]

    found = told(sets, NOON, Circumstances(restored_within=8 * DAY))
    assert "no set was restored since" in found[FreezeReason.VERIFICATION_OVERDUE]
    assert told(sets, NOON) == {}  # where nothing is to be restored
    assert told(sets, NOON, Circumstances(restored_within=20 * DAY)) == {}


def test_backups_once_a_month_are_not_overdue() -> None:
    monthly = [record(number, NOON - (3 - number) * 30 * DAY) for number in range(1, 4)]

    assert told(monthly, NOON + 29 * DAY, Circumstances(run(), restored_within=8 * DAY)) == {}


@pytest.mark.parametrize("reason", [JobReason.NO_EXTENSION, JobReason.CLIENT_MISSING, JobReason.NO_KEY])
def test_what_cannot_be_restored_here_is_no_fault(reason: JobReason) -> None:
    proof = "hashed" if reason is JobReason.NO_KEY else "decoded"
    sets = [
        record(number, NOON - (20 - number) * DAY, proof, failed=failure(ProofName.RESTORED, reason))
        for number in range(1, 21)
    ]

    assert told(sets, NOON, Circumstances(run(), restored_within=8 * DAY)) == {}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (ProofName.HASHED, JobReason.CORRUPT),
        (ProofName.DECODED, JobReason.CORRUPT),
        (ProofName.RESTORED, JobReason.INCOMPLETE),
        (ProofName.COMPARED, JobReason.MISMATCH),
        (ProofName.COMPARED, JobReason.INCOMPLETE),
    ],
)
def test_the_newest_set_is_bad(name: ProofName, reason: JobReason) -> None:
    sets = [*daily(3, last_at=NOON - DAY), record(4, NOON, "decoded", failed=failure(name, reason))]

    assert f"{name} failed ({reason})" in told(sets)[FreezeReason.DISPROVED]


@pytest.mark.parametrize("reason", [JobReason.DISK_FULL, JobReason.TOOL, JobReason.KILLED, JobReason.DEADLINE])
def test_what_only_stopped_a_restore_says_nothing_about_a_set(reason: JobReason) -> None:
    stopped = record(4, NOON, "decoded", failed=failure(ProofName.RESTORED, reason))

    assert told([*daily(3, last_at=NOON - DAY), stopped]) == {}
    assert is_proven(stopped)


def test_what_spoke_against_a_set_is_cleared_by_a_later_proof_as_strong() -> None:
    bad = record(1, NOON, "decoded", failed=failure(ProofName.RESTORED, JobReason.INCOMPLETE))
    weak = replace(bad, proofs=(*bad.proofs, Proof(ProofName.HASHED, NOON, 1.0)))
    strong = replace(bad, proofs=(*bad.proofs, Proof(ProofName.COMPARED, NOON, 1.0)))

    assert disproof(bad) == bad.proofs[-1]
    assert is_disproved(weak)
    assert not is_proven(weak)
    assert not is_disproved(strong)
    assert is_proven(strong)


@pytest.mark.parametrize(
    ("newest", "words"),
    [
        (record(6, size_bytes=400), "40% of the usual bytes"),
        (record(6, rows=49), "49% of the usual rows"),
        (record(6, size_bytes=10, rows=1), "1% of the usual bytes and 1% of the usual rows"),
    ],
)
def test_the_newest_set_is_far_too_small(newest: BackupRecord, words: str) -> None:
    assert told([*daily(5, last_at=NOON - DAY), newest]) == {FreezeReason.ANOMALY: f"the newest set has only {words}"}


def test_sets_that_are_bad_are_no_measure() -> None:
    truncated = failure(ProofName.HASHED, JobReason.CORRUPT)
    bad = [record(number, NOON, "hashed", failed=truncated, size_bytes=10_000) for number in range(4, 9)]

    assert told([*daily(3, last_at=NOON - DAY), *bad, record(9)]) == {}


def test_when_three_sets_are_that_small_it_is_how_things_are() -> None:
    small = [record(6 + number, NOON, size_bytes=100) for number in range(4)]

    assert [bool(told([*daily(5, last_at=NOON - DAY), *small[: 1 + number]])) for number in range(4)] == [
        *(True, True, True, False)
    ]


def test_the_clock_went_back() -> None:
    found = told(daily(3), NOON + HOUR, Circumstances(clock_seen=NOON + DAY + HOUR))

    assert found == {FreezeReason.CLOCK: "the clock went back by 1 day; if it is right: dbwatch backup trust-clock"}
    assert told(daily(3), NOON + HOUR, Circumstances(clock_seen=NOON + HOUR + 60)) == {}  # it was set, a little


def test_the_clock_jumped() -> None:
    assert told(daily(3), NOON, Circumstances(clock_jumped=3 * DAY)) == {
        FreezeReason.CLOCK: "the clock jumped by 3 days; if it is right: dbwatch backup trust-clock"
    }


def test_a_set_comes_from_the_future() -> None:
    sets = [record(1), record(2, NOON + 2 * DAY)]

    said = told(sets)[FreezeReason.CLOCK]
    assert "made 2 days from now" in said
    assert said.endswith("; if it is right: dbwatch backup trust-clock")
    assert told(sets, NOON, Circumstances(clock_seen=NOON, clock_accepted=True)) == {}


def test_a_set_on_the_disk_cannot_be_used() -> None:
    broken = [record(1, NOON - DAY, problem="the manifest was edited"), record(2, NOON - DAY, problem="x"), record(3)]

    assert told(broken) == {FreezeReason.PROBLEM: f"{broken[1].id} cannot be used: x, and 1 more"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (86400.0, "1 day"),
        (7 * 86400.0, "7 days"),
        (36 * 3600.0, "36 hours"),
        (3600.0, "1 hour"),
        (90 * 60.0, "90 minutes"),
        (61.0, "61 seconds"),
        (-3 * 86400.0, "-3 days"),
    ],
)
def test_spans_are_told_in_words(seconds: float, words: str) -> None:
    assert words == lasting(seconds)
