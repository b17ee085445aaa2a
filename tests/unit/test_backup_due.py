"""Which sets are restored next: small ones at once, large ones within the rotation, none forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbwatch.core.backups.due import Due, Limits, expected_restore_seconds, is_large, to_restore
from dbwatch.core.backups.model import BackupRecord, JobReason, ProofName
from dbwatch.settings.backups import Verification
from tests.backup_sets import DAY, HOUR, NOON, failure, record

LIMITS = Limits(max_bytes=100_000)
LARGE = 200_000


def numbers(due: Due) -> list[int]:
    return [each.manifest.sequence for each in due.now]


def waiting(due: Due) -> dict[int, str]:
    return {each.record.manifest.sequence: each.reason for each in due.waiting}


def large(sequence: int, at: float, proof: str = "decoded", instance: str = "pg1") -> BackupRecord:
    return record(sequence, at, proof, instance=instance, plain_bytes=LARGE)


def test_the_settings_are_the_limits() -> None:
    assert Verification(max_bytes=5).limits == Limits(max_bytes=5)


def test_small_sets_are_restored_at_once_the_newest_first() -> None:
    sets = [record(1, NOON - DAY, "decoded"), record(2, NOON, "compared"), record(3, NOON + HOUR, "decoded")]
    due = to_restore(sets, LIMITS, NOON + 2 * HOUR)

    assert numbers(due) == [3, 1]
    assert due.count == 2
    assert due.since == sets[0].manifest.ended_at


def test_nothing_waits_where_nothing_is_restored() -> None:
    sets = [record(1, proof="decoded")]

    assert to_restore(sets, Limits(restore=False), NOON) == Due()
    assert to_restore(sets, {"pg2": LIMITS}, NOON) == Due()
    assert to_restore([], LIMITS, NOON).since is None


def test_a_large_set_that_was_never_restored_is_due() -> None:
    assert numbers(to_restore([large(1, NOON)], LIMITS, NOON + HOUR)) == [1]


def test_a_large_set_waits_for_its_turn_and_the_newest_takes_it() -> None:
    sets = [large(1, NOON - 3 * DAY, "compared"), large(2, NOON - 2 * DAY), large(3, NOON - DAY)]
    due = to_restore(sets, LIMITS, NOON)

    assert numbers(due) == []
    assert waiting(due) == {3: "large: in its turn"}
    assert due.waiting[0].until < sets[0].proofs[-1].at + LIMITS.rotation
    assert numbers(to_restore(sets, LIMITS, due.waiting[0].until)) == [3]


def test_among_large_ones_the_oldest_proof_goes_first_and_small_ones_before_all() -> None:
    sets = [
        *(large(1, NOON - 20 * DAY, "compared", "b"), large(2, NOON - 1 * DAY, instance="b")),
        *(large(1, NOON - 30 * DAY, "compared", "a"), large(2, NOON - 1 * DAY, instance="a")),
        *(large(1, NOON - 1 * DAY, instance="c"), record(1, NOON - 2 * DAY, "decoded", instance="d")),
    ]
    due = to_restore(sets, LIMITS, NOON)

    assert [each.manifest.instance for each in due.now] == ["d", "c", "a", "b"]


def test_a_set_that_would_take_too_long_is_large_too() -> None:
    sets = [record(1, NOON - DAY, "compared"), record(2, NOON, "decoded", plain_bytes=16_000)]

    assert expected_restore_seconds(sets[1], sets) == pytest.approx(4 * 30.0)
    assert is_large(sets[1], Limits(max_seconds=100.0), sets)
    assert not is_large(sets[1], Limits(max_seconds=120.0), sets)


def test_without_experience_a_restore_is_expected_to_be_slow() -> None:
    unknown = record(1, plain_bytes=100 * 1024**2)

    assert expected_restore_seconds(unknown, []) == pytest.approx(10.0)


@pytest.mark.parametrize("reason", [JobReason.DISK_FULL, JobReason.TOOL, JobReason.DEADLINE])
def test_what_was_tried_in_vain_is_tried_again_but_not_at_once(reason: JobReason) -> None:
    sets = [record(1, NOON, "decoded", failed=failure(ProofName.RESTORED, reason, NOON + HOUR))]

    assert waiting(to_restore(sets, LIMITS, NOON + 2 * HOUR)) == {1: "tried in vain not long ago"}
    assert numbers(to_restore(sets, LIMITS, NOON + 7 * HOUR)) == [1]


def test_a_large_set_that_was_tried_in_vain_rests_for_a_day() -> None:
    vain = failure(ProofName.RESTORED, JobReason.DEADLINE, NOON + HOUR)
    sets = [record(1, NOON, "decoded", failed=vain, plain_bytes=LARGE)]

    assert numbers(to_restore(sets, LIMITS, NOON + 24 * HOUR)) == []
    assert numbers(to_restore(sets, LIMITS, NOON + 25 * HOUR)) == [1]


def test_a_set_that_could_not_even_be_decoded_here_is_tried_again() -> None:
    sets = [record(1, NOON, "hashed", failed=failure(ProofName.DECODED, JobReason.CLIENT_MISSING))]

    assert numbers(to_restore(sets, LIMITS, NOON + 7 * HOUR)) == [1]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (ProofName.RESTORED, JobReason.NO_EXTENSION),
        (ProofName.DECODED, JobReason.NO_KEY),
        (ProofName.HASHED, JobReason.CORRUPT),
        (ProofName.COMPARED, JobReason.MISMATCH),
        (ProofName.RESTORED, JobReason.CLIENT_MISSING),
        (ProofName.RESTORED, JobReason.INCOMPLETE),
    ],
)
def test_what_is_known_is_not_tried_again(name: ProofName, reason: JobReason) -> None:
    sets = [record(1, NOON, "hashed", failed=failure(name, reason))]

    assert to_restore(sets, LIMITS, NOON + 30 * DAY) == Due()


def test_a_set_that_cannot_be_used_is_not_waited_for() -> None:
    assert to_restore([record(1, proof="decoded", problem="edited")], LIMITS, NOON) == Due()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 7), st.integers(1, 5))
def test_whoever_does_what_is_due_each_day_restores_every_instance_within_the_rotation(
    restores: list[bool], rotation_days: int, instances: int
) -> None:
    limits = Limits(max_bytes=100_000, rotation=rotation_days * DAY)
    sets: dict[tuple[str, int], BackupRecord] = {}
    last: dict[str, float] = {}
    for day in range(30):
        now = NOON + day * DAY
        for name in map(str, range(instances)):
            is_large = restores[(day + int(name)) % len(restores)]
            sets[name, day] = record(day, now, "decoded", instance=name, plain_bytes=LARGE if is_large else 10)
        due = to_restore(sets.values(), limits, now + HOUR)
        for each in due.now:
            name, number = each.manifest.instance, each.manifest.sequence
            sets[name, number] = record(number, now, "compared", instance=name, plain_bytes=each.manifest.plain_bytes)
            last[name] = now
        assert all(now - last[name] <= limits.rotation for name in map(str, range(instances)))
