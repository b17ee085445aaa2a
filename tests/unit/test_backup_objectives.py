"""What would be lost, and how long it would take."""

from __future__ import annotations

from dbwatch.core.backups.model import JobReason, ProofName
from dbwatch.core.backups.objectives import (
    Objective,
    compliance,
    recoverable_age_seconds,
    rpo_from_heartbeat,
    rto_seconds,
)
from tests.backup_sets import DAY, HOUR, NOON, failure, record


def test_what_would_be_lost_is_counted_from_the_moment_that_the_newest_proven_set_holds() -> None:
    bad = record(4, NOON, "decoded", failed=failure(ProofName.COMPARED, JobReason.MISMATCH))
    sets = [record(1, NOON - 2 * DAY), record(2, NOON - DAY), record(3, NOON, "hashed"), bad]

    assert recoverable_age_seconds(sets, NOON + HOUR) == DAY + HOUR


def test_without_a_proven_set_nobody_knows() -> None:
    assert recoverable_age_seconds([], NOON) is None
    assert recoverable_age_seconds([record(proof="published")], NOON) is None


def test_a_clock_that_went_back_loses_nothing_negative() -> None:
    assert recoverable_age_seconds([record(at=NOON)], NOON - DAY) == 0.0
    assert rpo_from_heartbeat(100.0, 100.4) == 0.0


def test_the_heartbeat_tells_what_was_really_lost() -> None:
    assert rpo_from_heartbeat(1000.0, 940.0) == 60.0


def test_the_phases_make_the_whole() -> None:
    assert rto_seconds([("detect", 1.5), ("restore", 30.0)]) == 31.5


def test_what_was_never_measured_is_not_met() -> None:
    assert not Objective(3600.0).is_met
    assert Objective(3600.0, 3600.0).is_met
    assert not Objective(3600.0, 3601.0).is_met


def test_compliance_is_a_share() -> None:
    assert compliance([]) is None
    assert compliance([Objective(1.0, 0.5), Objective(1.0)]) == 0.5
