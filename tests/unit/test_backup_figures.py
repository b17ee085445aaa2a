"""What sets and runs come to as figures, and figures as metrics."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from dbwatch.core.backups.figures import (
    BAD,
    FAILED,
    PROVEN,
    UNPROVABLE,
    UNPROVEN,
    DatabaseFigures,
    DrillFigures,
    KindFigures,
)
from dbwatch.core.backups.gathering import kind_figures, set_line
from dbwatch.core.backups.model import (
    BackupKind,
    BackupRecord,
    JobReason,
    JobRun,
    JobState,
    Progress,
    ProofLevel,
    ProofName,
)
from dbwatch.core.model import Identity
from dbwatch.jobs import metrics
from tests.backup_boards import DAY, LADDER, failed, proofs, record, run
from tests.fix_http import FAMILIES

LOGICAL = BackupKind.LOGICAL
IDENTITY = Identity("pg1", "postgres", "prod")
Samples = dict[tuple[str, ...], float]


def figures(*records: BackupRecord, runs: tuple[JobRun, ...] = ()) -> KindFigures:
    return kind_figures(LOGICAL, ["marseille"], [set_line(each) for each in records], runs)


def samples(family: str, *kinds: KindFigures, drills: tuple[DrillFigures, ...] = ()) -> Samples:
    made = metrics.blocks(kinds, drills)
    found = [sample for block in made if block.family == family for sample in block.samples()]
    return {tuple(labels.values()): value for labels, value in found}


def test_a_database_that_was_never_backed_up_is_expected_and_has_no_success() -> None:
    found = figures()

    assert {("marseille", "logical"): 1.0} == samples("dbwatch_backup_expected", found)
    assert {} == samples("dbwatch_backup_last_success_timestamp_seconds", found)
    assert {} == samples("dbwatch_backup_verified_level", found)


def test_all_lacks_a_backup_while_nobody_knows_the_databases() -> None:
    assert {("_all", "logical"): 1.0} == samples("dbwatch_backup_expected", KindFigures(LOGICAL))


def test_the_moment_that_a_set_brings_back_is_when_its_dump_began() -> None:
    found = figures(record(1, DAY), record(2, 2 * DAY))

    assert {("marseille", "logical"): 2 * DAY} == samples("dbwatch_backup_last_success_timestamp_seconds", found)


def test_a_set_whose_run_is_not_known_tells_no_time_of_a_run_for_its_own_has_no_proofs_in_it() -> None:
    family = "dbwatch_backup_last_duration_seconds"

    assert {} == samples(family, figures(record(1, DAY)))
    assert {("logical",): 90.0} == samples(family, figures(record(1, DAY), runs=(run(DAY),)))


def test_a_set_that_turned_out_bad_brings_no_moment_back() -> None:
    bad = record(2, 2 * DAY, *proofs(2 * DAY), failed(ProofName.HASHED, 3 * DAY, JobReason.CORRUPT))

    after = samples("dbwatch_backup_last_success_timestamp_seconds", figures(record(1, DAY), bad))
    alone = samples("dbwatch_backup_last_success_timestamp_seconds", figures(bad))

    assert after == {("marseille", "logical"): DAY}
    assert alone == {}


def test_a_set_made_by_a_clock_that_was_ahead_is_no_newer_for_it() -> None:
    found = figures(record(1, 300 * DAY), record(2, 2 * DAY, size_bytes=7))

    assert samples("dbwatch_backup_last_success_timestamp_seconds", found) == {("marseille", "logical"): 2 * DAY}
    assert found.last_size_bytes == 7
    assert found.oldest_at == 2 * DAY


def test_no_age_is_told_by_a_set_of_the_future_while_it_is_the_newest() -> None:
    lines = [set_line(each) for each in (record(1, DAY), record(2, 9 * DAY))]

    (found,) = kind_figures(LOGICAL, ["marseille"], lines, now=2 * DAY).databases
    (alone,) = kind_figures(LOGICAL, ["marseille"], lines[1:], now=2 * DAY).databases

    assert found.last_success_at == DAY
    assert alone.last_success_at is None
    assert alone.level is not None


def test_a_database_that_the_newest_set_lacks_keeps_the_moment_of_the_one_that_has_it() -> None:
    without = replace(set_line(record(2, 2 * DAY)), databases=())
    found = kind_figures(LOGICAL, ["marseille"], [set_line(record(1, DAY)), without])

    assert [DAY] == [each.last_success_at for each in found.databases]


def test_a_proof_counts_for_every_step_below_it() -> None:
    found = figures(record(1, DAY, *proofs(DAY, ProofName.COMPARED)), record(2, 2 * DAY, *proofs(2 * DAY, *LADDER[:2])))

    verified = {key[2]: at for key, at in samples("dbwatch_backup_last_verified_timestamp_seconds", found).items()}
    assert DAY == verified["restored"] == verified["compared"] == verified["decoded"]
    assert 2 * DAY + 1 == verified["hashed"] == verified["published"]
    assert {("marseille", "logical"): float(ProofLevel.L1)} == samples("dbwatch_backup_verified_level", found)


def test_what_is_proven_to_come_back_is_told_apart_from_what_the_newest_set_may_bring_back() -> None:
    restored = record(1, DAY, *proofs(DAY, ProofName.RESTORED))
    found = figures(restored, record(2, 2 * DAY, *proofs(2 * DAY, *LADDER[:2])))
    bad = record(3, 3 * DAY, *proofs(3 * DAY), failed(ProofName.HASHED, 4 * DAY, JobReason.CORRUPT))

    assert {("marseille", "logical"): DAY} == samples("dbwatch_backup_last_proven_timestamp_seconds", found)
    assert {("marseille", "logical"): DAY} == samples(
        "dbwatch_backup_last_proven_timestamp_seconds", figures(restored, bad)
    )
    assert {} == samples("dbwatch_backup_last_proven_timestamp_seconds", figures(bad))


def test_proofs_of_a_set_that_turned_out_bad_do_not_count() -> None:
    bad = record(1, DAY, *proofs(DAY), failed(ProofName.HASHED, 2 * DAY, JobReason.CORRUPT))
    found = figures(bad)

    assert BAD == set_line(bad).state
    assert {} == samples("dbwatch_backup_last_verified_timestamp_seconds", found)
    assert {("logical", BAD): 1.0, ("logical", PROVEN): 0.0, ("logical", UNPROVEN): 0.0} == samples(
        "dbwatch_backup_count", found
    )
    assert {("marseille", "logical"): 0.0} == samples("dbwatch_backup_verified_level", found)


def test_a_later_proof_as_strong_clears_a_set() -> None:
    cleared = record(1, DAY, failed(ProofName.HASHED, DAY, JobReason.CORRUPT), *proofs(2 * DAY))

    assert PROVEN == set_line(cleared).state
    assert None is set_line(cleared).failed


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (JobReason.NO_EXTENSION, UNPROVABLE),
        (JobReason.NO_KEY, UNPROVABLE),
        (JobReason.DISK_FULL, FAILED),
        (JobReason.MISMATCH, FAILED),
    ],
)
def test_what_cannot_be_proven_here_is_told_apart_from_what_failed(reason: JobReason, expected: str) -> None:
    found = figures(record(1, DAY, *proofs(DAY, *LADDER[:3]), failed(ProofName.RESTORED, DAY + 9, reason)))

    assert expected == found.verification
    assert reason == found.verification_reason


def test_a_set_that_waits_for_its_turn_says_nothing_of_verification() -> None:
    assert "" == figures(record(1, DAY, *proofs(DAY, *LADDER[:3]))).verification


def test_a_size_is_held_against_the_median_of_those_before() -> None:
    sizes = [1000, 1000, 900, 1100, 250]
    found = figures(*(record(at, at * DAY, size_bytes=size, rows=size) for at, size in enumerate(sizes, 1)))

    assert {("logical",): 0.25} == samples("dbwatch_backup_size_ratio_to_median", found)
    assert {("logical",): 0.25} == samples("dbwatch_backup_rows_ratio_to_median", found)


def test_a_second_set_has_nothing_to_be_held_against() -> None:
    assert None is figures(record(1, DAY), record(2, 2 * DAY, size_bytes=1)).size_ratio


def test_rows_that_were_not_counted_are_absent() -> None:
    found = figures(record(1, DAY, rows=None))

    assert {} == samples("dbwatch_backup_rows_last", found)
    assert {("marseille", "logical"): 5000.0} == samples("dbwatch_backup_last_plain_bytes", found)


def test_the_last_run_that_ended_gives_result_and_reason() -> None:
    found = figures(runs=(run(DAY), run(2 * DAY, JobState.FAILED, JobReason.DISK_FULL)))

    assert {("logical", "disk_full"): 1.0} == samples("dbwatch_backup_last_failure", found)
    assert 1.0 == samples("dbwatch_backup_last_result", found)["logical", "failed"]
    assert {("logical", "succeeded", ""): 1.0, ("logical", "failed", "disk_full"): 1.0} == samples(
        "dbwatch_backup_runs_total", found
    )


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.CANCELLED])
def test_a_run_that_was_cancelled_is_no_failure(state: JobState) -> None:
    assert {} == samples("dbwatch_backup_last_failure", figures(runs=(run(DAY, state),)))


def test_an_orphan_is_a_failure_even_without_a_reason() -> None:
    assert {("logical", "other"): 1.0} == samples(
        "dbwatch_backup_last_failure", figures(runs=(run(DAY, JobState.ORPHANED),))
    )


def everything() -> tuple[KindFigures, DrillFigures]:
    """Nothing absent."""
    states = ((JobState.SUCCEEDED, None, 3), (JobState.FAILED, JobReason.LOCK, 1))
    database = DatabaseFigures("marseille", DAY, DAY, ProofLevel.L3, ((ProofName.COMPARED, DAY),), 5000, 100)
    kind = KindFigures(
        LOGICAL,
        (database,),
        last_attempt_at=DAY,
        last_state=JobState.FAILED,
        last_reason=JobReason.LOCK,
        runs=states,
        last_seconds=1.0,
        last_phases=(("dumping", 1.0), ("hashing", 0.5), ("dumping", 2.0)),
        last_size_bytes=10,
        size_ratio=1.0,
        rows_ratio=1.0,
        running_since=DAY,
        progress=Progress("dumping", 5, 10, 1, 2, 3.0, 1),
        verification=FAILED,
        verification_reason=JobReason.DISK_FULL,
        verification_seconds=((ProofName.COMPARED, 5.0),),
        verification_failures=((JobReason.CORRUPT, 1),),
        mismatches=0,
        waiting=1,
        counts=((PROVEN, 1), (UNPROVEN, 0), (BAD, 0)),
        verified=1,
        oldest_at=DAY,
        repository_bytes=10,
        frozen=("last_run_failed",),
        next_at=2 * DAY,
        preflight_reason=JobReason.CLIENT_MISSING,
        preflight_at=DAY,
        age_objective_seconds=1.0,
        deadline_seconds=1.0,
    )
    drill = DrillFigures(
        "01_perte_instance_postgres",
        last_at=DAY,
        last_success_at=DAY,
        last_reason=JobReason.MISMATCH,
        succeeded=False,
        phases=(("detect", 1.0), ("restore", 2.0)),
        rto_seconds=3.0,
        rpo_seconds=4.0,
        rto_objective_seconds=5.0,
        rpo_objective_seconds=6.0,
        age_objective_seconds=7.0,
        next_at=2 * DAY,
        report="report.md",
        detail="one line",
    )
    return kind, drill


def test_every_family_is_filled_and_has_the_labels_that_families_yml_tells() -> None:
    kind, drill = everything()
    made = metrics.blocks([kind], [drill])

    assert {block.family: set(block.label_names) for block in made} == {
        name: set(family.labels)
        for name, family in FAMILIES.items()
        if name.startswith(("dbwatch_backup_", "dbwatch_drill_"))
    }
    assert [] == [each.name for each in fields(kind) if getattr(kind, each.name) is None]


def test_phases_that_come_twice_are_one_sample() -> None:
    kind, _ = everything()

    assert {("logical", "dumping"): 3.0, ("logical", "hashing"): 0.5} == samples(
        "dbwatch_backup_last_phase_duration_seconds", kind
    )


def test_no_label_names_a_set() -> None:
    kind, drill = everything()
    text = b"".join(
        piece for pieces in metrics.lines(IDENTITY, metrics.blocks([kind], [drill])).values() for piece in pieces
    )

    assert (
        b'dbwatch_backup_expected{db_instance="pg1",engine="postgres",env="prod",database="marseille",kind="logical"} 1'
        in text
    )
    assert b"set-" not in text


def test_nothing_known_is_nothing_told_but_that_a_backup_is_expected() -> None:
    made = metrics.blocks([KindFigures(LOGICAL)], [DrillFigures("01", is_expected=False)])

    assert ["dbwatch_backup_blocking_sessions", "dbwatch_backup_expected", "dbwatch_backup_in_progress"] == sorted(
        block.family for block in made
    )
