"""Backups on the page and in the API."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from dbwatch.core.backups.figures import NO_BACKUPS, BackupBoard, DrillFigures, InstanceBoard, RepositoryFigures
from dbwatch.core.backups.model import JobReason, JobState, Progress, Proof, ProofName
from dbwatch.core.model import Identity
from dbwatch.http.backups_api import backups_json
from dbwatch.http.backups_page import backups_of
from dbwatch.http.detail import detail
from dbwatch.http.frame import Frame
from dbwatch.http.overview import overview
from dbwatch.http.own_backups import BackupsCollector
from dbwatch.http.view import InstanceView, instance_view
from tests.backup_boards import DAY, HOUR, LADDER, board, failed, proofs, record, run
from tests.fix_http import doors, filled_store, healthy_state, running

NOW = time.time()
FRAME = Frame(NOW, "/metrics", "/", 10)
EVIL = "<script>alert('1')</script>"


def view(name: str = "pg1") -> InstanceView:
    return instance_view(healthy_state(Identity(name, "postgres")), [], NOW)


def shown(told: BackupBoard, frame: Frame = FRAME) -> str:
    return detail(view(), frame, backups=told)


def full_board() -> BackupBoard:
    """Runs, has failed, lists sets of every kind."""
    records = [
        record(1, NOW - 3 * DAY, *proofs(NOW - 3 * DAY)),
        record(
            2,
            NOW - 2 * DAY,
            *proofs(NOW - 2 * DAY, *LADDER[:3]),
            failed(ProofName.RESTORED, NOW, JobReason.NO_EXTENSION),
        ),
        record(3, NOW - DAY, failed(ProofName.HASHED, NOW - DAY, JobReason.CORRUPT, "marseille.dump is truncated")),
        record(4, NOW - 3 * HOUR, *proofs(NOW - 2 * HOUR), pinned=True),
    ]
    runs = (run(NOW - 60, JobState.FAILED, JobReason.DISK_FULL, detail="2 GiB are missing: extend /var/backups"),)
    made = board(
        NOW,
        records,
        runs=runs,
        drills=(
            DrillFigures(
                "01_perte_instance_postgres",
                succeeded=True,
                last_at=NOW - DAY,
                rto_seconds=95.0,
                rto_objective_seconds=60.0,
                rpo_seconds=2.0,
                rpo_objective_seconds=DAY,
            ),
            DrillFigures("02_restoration_from_last_full"),
        ),
        running=run(NOW - 12, JobState.RUNNING, phase="dumping"),
        last_failure=runs[0],
    )
    kind = made.instances["pg1"].kinds[0]
    figures = replace(
        kind.figures,
        next_at=NOW + 5 * HOUR,
        progress=Progress("dumping", 120 * 2**20, 480 * 2**20, 3, 12, 36.0),
        waiting=1,
        frozen=("last_run_failed",),
    )
    return replace(
        made, instances={"pg1": InstanceBoard((replace(kind, figures=figures),), made.instances["pg1"].drills)}
    )


@pytest.mark.parametrize(("language", "words"), [("en", "restored and compared"), ("fr", "restaurée et comparée")])
def test_a_backup_is_shown_with_its_proof_in_words(language: str, words: str) -> None:
    told = board(NOW, [record(1, NOW - HOUR, *proofs(NOW - HOUR))])
    frame = replace(FRAME, language=language)

    assert f"✔ {words}" in shown(told, frame)
    assert f"✔ {words}" in overview([view()], frame, backups=told)


def test_the_page_shows_what_runs_what_failed_and_what_comes_next() -> None:
    page = shown(full_board())

    assert "3 of 12 tables" in page
    assert "<progress" in page
    assert "about 36 s left" in page
    assert "2 GiB are missing: extend /var/backups" in page
    assert "in 5 h" in page
    assert "✖ bad: do not use" in page
    assert "no extension: told in one line" in page
    assert "! 1 min 35 s of 1 min allowed" in page
    assert "? never rehearsed" in page


def test_an_instance_that_is_backed_up_and_has_no_set_says_so() -> None:
    told = board(NOW, [])

    assert "There is none yet." in shown(told)
    assert "no backup yet" in overview([view()], FRAME, backups=told)


def test_an_instance_without_backups_says_so_and_a_daemon_without_them_says_nothing() -> None:
    assert "not backed up here" in shown(BackupBoard(is_configured=True))
    assert None is backups_of("pg1", NO_BACKUPS, FRAME)
    assert "Backup" not in overview([view()], FRAME)


def test_a_repository_out_of_reach_is_told_above_the_instances() -> None:
    gone = RepositoryFigures("/x", is_usable=False, reason=JobReason.REPOSITORY, detail="mount /x again")

    assert "mount /x again" in overview([view()], FRAME, backups=board(NOW, [], repository=gone))


def test_what_servers_and_people_wrote_is_escaped() -> None:
    proof = Proof(ProofName.RESTORED, NOW, 1.0, JobReason.TOOL, EVIL)
    bad = replace(record(1, NOW - HOUR, proof, problem=EVIL))
    bad = replace(bad, manifest=replace(bad.manifest, warnings=(EVIL,), id=EVIL))
    failure = run(NOW - 60, JobState.FAILED, JobReason.OTHER, detail=EVIL)
    told = board(NOW, [bad], last_failure=failure, preflight_detail=EVIL)

    assert "<script" not in shown(told)
    assert "<script" not in overview([view()], FRAME, backups=told)


def test_the_api_gives_sets_with_every_proof() -> None:
    told = json.loads(json.dumps(backups_json(full_board(), NOW)))

    kind = told["instances"]["pg1"]["kinds"]["logical"]
    assert ["set-0004", "set-0003", "set-0002", "set-0001"] == [each["id"] for each in kind["backups"]]
    assert ["published", "hashed", "decoded", "compared"] == [each["name"] for each in kind["backups"][0]["proofs"]]
    assert "disk_full" == kind["last_failure"]["reason"]
    assert 3 == kind["running"]["progress"]["tables_done"]
    assert 3 == kind["databases"]["marseille"]["verified_level"]
    assert {"01_perte_instance_postgres", "02_restoration_from_last_full"} == told["instances"]["pg1"]["drills"].keys()


def test_repository_metrics_are_there_only_where_something_is_backed_up() -> None:
    collector = BackupsCollector()

    assert [] == list(collector.collect())
    collector.figures = lambda: RepositoryFigures("/x", is_usable=False)
    collector.look()
    assert ["dbwatch_backup_repository_usable", "dbwatch_jobs"] == [metric.name for metric in collector.collect()]


async def test_the_server_answers_for_backups() -> None:
    told = full_board()
    told = replace(told, instances={"citoyens": told.instances["pg1"]})
    async with running(filled_store(), doors(backups=lambda: told)) as site:
        everything = await site.curl("/api/v1/backups")
        one = await site.curl("/api/v1/backups?instance=rdv")
        nobody = await site.curl("/api/v1/backups?instance=nobody")
        page = await site.curl("/instances/citoyens?lang=fr")

    assert 200 == everything.status
    assert ["citoyens"] == list(json.loads(everything.text)["instances"])
    assert {} == json.loads(one.text)["instances"]
    assert 404 == nobody.status
    assert "restaurée et comparée" in page.text
