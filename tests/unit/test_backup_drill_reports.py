"""What a drill's report tells of proofs, of what was compared, and of why it stopped, in its reader's language."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dbwatch.core.backups import drills, report_pages, reporting
from dbwatch.core.backups.drills import DrillCheck, DrillResult, Scenario
from dbwatch.core.backups.model import JobReason, ProofName
from dbwatch.jobs import drill_reports

HANDBOOK = Path(__file__).parents[2] / "docs" / "scenarios_pra"
GOOD = DrillResult(
    scenario=Scenario.FULL,
    instance="pg1",
    engine="postgres",
    started_at=1_795_332_764.0,
    ended_at=1_795_332_779.0,
    backup="20261122T073238Z-000001-64f6c29f",
    checks=(DrillCheck("gone", holds=True),),
)
BAD = replace(GOOD, reason=JobReason.CORRUPT, detail="member x is truncated", checks=())


def markdown(result: DrillResult, language: reporting.Language) -> str:
    page = reporting.page(result, drill_reports.words(language), language, ZoneInfo("Europe/Paris"))
    return report_pages.markdown(page)


@pytest.mark.parametrize(
    ("name", "told"), [("decoded", "read to its end (L2)"), ("restored", "restored and sound (L2)")]
)
def test_a_report_names_the_proof_as_the_command_line_does(name: str, told: str) -> None:
    text = markdown(replace(GOOD, backup_level=2, backup_proof=ProofName(name)), "en")

    assert f"| Proof before the drill | {told} |" in text


def test_what_was_compared_in_part_is_told_with_what_was_not_and_why() -> None:
    values = {"compared": "7", "tables": "10", "content": "4", "counted": "3", "rows": "1"}
    partly = DrillCheck("partly", holds=True, values=tuple(values.items()))
    text = markdown(replace(GOOD, checks=(partly,), notes=("unread_moving: evt.journal, evt.log",)), "fr")

    assert "7 tables comparées sur 10, dont 4 par le contenu et 3 par le nombre de lignes seul ; 1 ligne |" in text
    assert "- Contenu non comparé : evt.journal, evt.log (ces tables ne connaissent pas les transactions)" in text


@pytest.mark.parametrize(
    ("language", "count", "told"),
    [("fr", 1, "1 base"), ("fr", 0, "0 base"), ("fr", 3, "3 bases"), ("en", 1, "1 database"), ("en", 0, "0 databases")],
)
def test_words_fit_the_numbers_beside_them(language: reporting.Language, count: int, told: str) -> None:
    check = DrillCheck("answers", holds=True, values=(("databases", str(count)),))

    assert f"{told} |" in markdown(replace(GOOD, checks=(check,)), language)


def test_why_a_drill_stopped_is_told_in_the_readers_language_and_the_message_is_marked_as_one() -> None:
    assert " : la sauvegarde est abîmée (message : « member x is truncated »)." in markdown(BAD, "fr")

    none = DrillCheck("usable", holds=False, values=(("instance", "pg1"),))
    text = markdown(replace(BAD, reason=JobReason.OTHER, detail="pg1 has none", checks=(none,), backup=""), "fr")
    assert " : aucune sauvegarde prouvée lisible (message : « pg1 has none »)." in text
    assert "en prendre une : dbwatch backup pg1, ou ajouter --take |" in text


@pytest.mark.parametrize("engine", ["postgres", "mysql"])
@pytest.mark.skipif(not HANDBOOK.is_dir(), reason="the documents are not part of the wheel")
def test_the_page_for_a_person_is_one_of_the_engine_that_was_lost(engine: str) -> None:
    for scenario in drills.possible(engine):
        result = replace(GOOD, scenario=scenario, engine=engine)
        (name,) = re.findall(r"docs/scenarios_pra/(\w+[.]md)", markdown(result, "fr"))
        text = (HANDBOOK / name).read_text()
        assert ("MariaDB" if engine == "mysql" else "PostgreSQL") in text
        assert f"dbwatch drill {scenario.number}" in text
