"""What is told of the rehearsals of one scenario that was played on several tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.backups.drills import DrillCheck, DrillResult, Scenario
from dbwatch.core.backups.model import JobReason
from dbwatch.history.job_words import DrillKept
from dbwatch.jobs.boards import drills_of
from dbwatch.settings.backups import Drill

if TYPE_CHECKING:
    from dbwatch.core.backups.figures import DrillFigures

NOW, DAY = 1_795_332_764.0, 86400.0
CHECKS = (DrillCheck("rows", holds=True),)


def played(table: str, at: float, *, fails: bool = False, scenario: Scenario = Scenario.TABLE) -> DrillKept:
    reason, detail = (JobReason.MISMATCH, "the rows differ") if fails else (None, "")
    result = DrillResult(
        scenario, "pg1", "postgres", at - 9, at, table=table, checks=CHECKS, reason=reason, detail=detail
    )
    return DrillKept(result, f"/reports/{table}{at - NOW:g}.md")


def told(*kept: DrillKept) -> DrillFigures:
    (figures,) = drills_of(kept, Drill(max_age=35 * DAY), None, "postgres")
    return figures


def test_a_drill_that_failed_is_not_hidden_by_one_of_another_table() -> None:
    figures = told(played("town.a.x", NOW, fails=True), played("town.a.y", NOW + DAY))

    assert (False, JobReason.MISMATCH, "town.a.x: the rows differ", "/reports/town.a.x0.md") == (
        figures.succeeded,
        figures.last_reason,
        figures.detail,
        figures.report,
    )
    assert (NOW + DAY, NOW + DAY) == (figures.last_at, figures.last_success_at)


def test_one_that_succeeds_on_its_table_ends_it() -> None:
    for wished in ("town.a.x", "a.x", ""):
        figures = told(played(wished, NOW, fails=True), played("town.a.x", NOW + DAY))
        assert (True, "", "/reports/town.a.x86400.md") == (figures.succeeded, figures.detail, figures.report)
    assert told(played("a.x", NOW, fails=True), played("town.aa.x", NOW + DAY)).succeeded is False


def test_one_that_failed_longer_ago_than_drills_may_be_is_forgotten() -> None:
    assert told(played("town.a.x", NOW, fails=True), played("town.a.y", NOW + 34 * DAY)).succeeded is False
    assert told(played("town.a.x", NOW, fails=True), played("town.a.y", NOW + 36 * DAY)).succeeded is True
    assert told(played("town.a.x", NOW, fails=True)).succeeded is False


def test_each_scenario_is_told_once() -> None:
    kept = (played("a", NOW), played("b", NOW + 1), played("", NOW, scenario=Scenario.LOSS))

    assert [Scenario.TABLE, Scenario.LOSS] == [each.scenario for each in drills_of(kept, Drill(), None, "postgres")]
