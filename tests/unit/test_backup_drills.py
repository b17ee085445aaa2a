"""What a drill tells: its result, and its reports in two languages."""

from __future__ import annotations

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbwatch.cli.drill import playable, refuse_many
from dbwatch.core.backups import drills, report_pages, reporting
from dbwatch.core.backups.drills import DrillCheck, DrillPhase, DrillResult, RpoEvidence, Scenario, since
from dbwatch.core.backups.model import JobReason, ProofName, TableFacts
from dbwatch.core.backups.unread import Unread
from dbwatch.errors import JobError, UsageError
from dbwatch.jobs import drill_reports
from dbwatch.jobs.drill_damage import PAGES, spread
from dbwatch.jobs.drill_sql import questions, statements
from dbwatch.jobs.drill_table import choose

PARIS = ZoneInfo("Europe/Paris")
GOOD = DrillResult(
    scenario=Scenario.LOSS,
    instance="pg1",
    engine="postgres",
    started_at=1_795_332_764.0,
    ended_at=1_795_332_779.0,
    phases=(("prepare", 8.3), ("detect", 0.2), ("restore", 2.6), ("ready", 0.1)),
    backup="20261122T073238Z-000001-64f6c29f",
    backup_at=1_795_332_000.0,
    backup_level=3,
    backup_bytes=294_599,
    database_bytes=30_000_000,
    server="postgres 18.6",
    lost_seconds=2.5,
    rpo_evidence=RpoEvidence.HEARTBEAT,
    exposure_seconds=764.0,
    rto_target_seconds=3600.0,
    rpo_target_seconds=86400.0,
    checks=(
        DrillCheck("hashes", holds=True, values=(("members", "4"), ("bytes", "294599"))),
        DrillCheck("smoke", holds=True, values=(("answered", "7"), ("asked", "7"), ("seconds", "0.12"))),
    ),
    notes=("same_machine", "facts_off: there was no time"),
    beat_seconds=0.2,
    tools=(("pg_restore", "18.6"),),
)
BAD = replace(GOOD, reason=JobReason.CORRUPT, detail="member x is truncated", checks=())
UNPROVEN = replace(GOOD, checks=(*GOOD.checks, DrillCheck("facts", holds=False, differences=("town.a: rows differ",))))


def markdown(result: DrillResult, language: reporting.Language) -> str:
    return report_pages.markdown(reporting.page(result, drill_reports.words(language), language, PARIS))


def html(result: DrillResult, language: reporting.Language) -> str:
    return report_pages.html(reporting.page(result, drill_reports.words(language), language, PARIS))


@pytest.mark.parametrize("result", [GOOD, BAD, UNPROVEN, replace(GOOD, backup_at=None, exposure_seconds=None)])
def test_a_result_is_the_same_after_its_json(result: DrillResult) -> None:
    assert result == drills.parse(drills.dump(result))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"scenario": "04"}', drills.dump(GOOD).replace('"phases"', '"x"')])
def test_what_is_no_report_is_told(text: str) -> None:
    if '"x"' in text:
        assert () == drills.parse(text).phases
        return
    with pytest.raises(JobError, match="this is no report of a drill"):
        drills.parse(text)


def test_what_is_prepared_is_no_part_of_the_recovery() -> None:
    assert 2.9 == pytest.approx(GOOD.rto_seconds)
    assert (True, True) == (GOOD.meets_rto, GOOD.meets_rpo)


def test_a_disaster_costs_the_worse_of_what_was_measured_and_the_age_of_the_set() -> None:
    assert 764.0 == GOOD.rpo_seconds
    assert 900.0 == replace(GOOD, lost_seconds=900.0).rpo_seconds
    assert replace(GOOD, lost_seconds=None, exposure_seconds=None).rpo_seconds is None
    assert replace(GOOD, rpo_target_seconds=600.0).meets_rpo is False


@pytest.mark.parametrize("result", [BAD, UNPROVEN, replace(GOOD, checks=())])
def test_nothing_is_a_success_without_a_proof(result: DrillResult) -> None:
    assert (False, None, None) == (result.succeeded, result.rto_seconds, result.meets_rto)


def test_scenarios_are_named_by_number_or_in_full_and_played_in_the_handbooks_order() -> None:
    assert (Scenario.LOSS, Scenario.TABLE) == drills.named(["03", "01", "03"])
    assert (Scenario.FULL,) == drills.named(["02_restoration_from_last_full"])
    with pytest.raises(ValueError, match=r"no scenario '04': there are 01 \("):
        drills.named(["04"])


def test_both_languages_say_the_same_things() -> None:
    french, english = drill_reports.words("fr"), drill_reports.words("en")
    holes = re.compile(r"\{(\w+)[:}]")

    assert set(french) == set(english)
    assert {name: set(holes.findall(text)) for name, text in french.items()} == {
        name: set(holes.findall(text)) for name, text in english.items()
    }
    lists = {
        "phase": DrillPhase,
        "what": DrillPhase,
        "reason": JobReason,
        "proof": ProofName,
        "loss": RpoEvidence,
    }
    for word, names in lists.items():
        assert [] == [each for each in names if f"{word}.{each}" not in french]
    assert [] == [each for each in Unread if f"note.unread_{each}" not in french]


def test_a_good_report_tells_time_loss_and_proof() -> None:
    text = markdown(GOOD, "fr")

    assert "# Exercice de reprise 01 \N{EN DASH} Perte d\N{RIGHT SINGLE QUOTATION MARK}une instance" in text
    assert "**Réussi**" in text
    plain = text.replace("\N{NO-BREAK SPACE}", " ")
    assert "rendu en 2,9 s, pour un objectif de 1 h : tenu" in plain
    assert "il en manque 2,5 s" in plain
    assert "| Octets de la sauvegarde intacts | oui | 4 fichiers, 288 Kio |" in plain
    assert "| Restauration | 2,6 s | 90 % |" in plain
    assert "n\N{RIGHT SINGLE QUOTATION MARK}a rien" not in plain
    assert "there was no time" in plain


def test_a_bad_report_says_first_why() -> None:
    assert "The drill stopped: member x is truncated" in markdown(BAD, "en")
    text = markdown(UNPROVEN, "en")
    assert "is not proven: Content equal to the backup" in text
    assert "- town.a: rows differ" in text
    late = markdown(replace(GOOD, rto_target_seconds=1.0), "en").replace("\N{NO-BREAK SPACE}", " ")
    assert "Succeeded, but an objective is not met" in late
    assert "the objective is 1 s: missed" in late


NASTY = "<script>alert(1)</script> [a](http://evil) | `x` *b*\n# c"


def test_what_a_server_names_is_never_markup() -> None:
    result = replace(
        GOOD,
        instance=NASTY,
        table=NASTY,
        checks=(DrillCheck("facts", holds=False, differences=(NASTY,), detail=NASTY),),
    )

    assert "<script" not in html(result, "fr")
    assert "[a](" not in re.sub(r"`[^`]*`", "", markdown(result, "fr"))  # what is code is no link
    assert "\n# c" not in markdown(result, "fr")


@given(
    name=st.sampled_from(["hashes", "smoke", "facts", "reached", "nobody knows"]),
    values=st.lists(
        st.tuples(st.sampled_from(["bytes", "seconds", "phase", "rows", "why"]), st.text(max_size=8)), max_size=5
    ),
    reason=st.sampled_from([None, JobReason.TOOL]),
    seconds=st.one_of(st.none(), st.floats(0, 1e9)),
)
def test_a_report_is_written_whatever_a_check_holds(
    name: str, values: list[tuple[str, str]], reason: JobReason | None, seconds: float | None
) -> None:
    check = DrillCheck(name, holds=False, values=tuple(values))
    result = replace(GOOD, checks=(check,), reason=reason, lost_seconds=seconds, exposure_seconds=seconds)

    assert markdown(result, "fr")
    assert html(result, "en").endswith("</html>\n")


def test_pages_are_damaged_all_over_the_file() -> None:
    assert (16, 50, 83) == spread(100)
    assert (0,) == spread(1)
    assert () == spread(0)


@given(st.integers(0, 10_000))
def test_never_a_page_that_is_not_there_and_never_one_twice(pages: int) -> None:
    chosen = spread(pages)

    assert min(pages, PAGES) == len(set(chosen))
    assert all(0 <= page < pages for page in chosen)


SMALL = TableFacts("ville", "metier", "demande_rdv", rows=10, bytes=100)
LARGE = TableFacts("ville", "metier", "rendez_vous", rows=99, bytes=9_000)


def test_the_table_is_the_one_wished_for_the_handbooks_or_the_largest() -> None:
    assert SMALL.key == choose([SMALL, LARGE], "").key
    assert LARGE.key == choose([SMALL, LARGE], "metier.rendez_vous").key
    assert LARGE.key == choose([LARGE, replace(SMALL, table="x")], "").key
    with pytest.raises(JobError, match=r"holds no table metier[.]nobody"):
        choose([SMALL], "metier.nobody")


def test_a_partition_that_is_not_restored_by_itself_is_no_table_to_damage() -> None:
    partition = replace(LARGE, through="metier.tout")

    assert SMALL.key == choose([SMALL, partition], "").key
    with pytest.raises(JobError, match=r"rendez_vous is restored with all of metier[.]tout only -> name one"):
        choose([SMALL, partition], "metier.rendez_vous")


@pytest.mark.parametrize("wish", ["metier.annee", "ville.metier.annee"])
def test_a_partition_that_is_parted_itself_is_no_table_to_damage_either(wish: str) -> None:
    leaf = replace(LARGE, through="metier.tout", within=("metier.annee",))

    with pytest.raises(JobError, match=r"metier[.]annee is restored with all of metier[.]tout only -> name one"):
        choose([SMALL, leaf], wish)


@pytest.mark.parametrize("wish", ["metier.tout", "ville.metier.tout"])
def test_a_partitioned_table_is_not_called_missing_and_what_can_be_chosen_is_named(wish: str) -> None:
    leaf = replace(LARGE, through="metier.tout", within=("metier.annee",))
    what = "is a partitioned table, and this drill damages the pages of one table"
    choice = "an ordinary table, or a partition that is restored by itself"

    with pytest.raises(JobError, match=rf"^{wish} {what} -> name one with --table DATABASE.SCHEMA.TABLE: {choice}$"):
        choose([SMALL, leaf], wish)


def test_a_table_that_the_set_tells_nothing_of_may_be_a_partitioned_one() -> None:
    with pytest.raises(JobError, match=r"^the set holds no table metier.tout with rows of its own -> name one with"):
        choose([SMALL], "metier.tout")


def test_who_names_scenarios_of_an_instance_is_told_what_it_cannot_play_and_of_all_it_is_left_out() -> None:
    assert (Scenario.LOSS, Scenario.FULL) == playable(tuple(Scenario), "mysql", named=False)
    assert (Scenario.TABLE,) == playable((Scenario.TABLE,), "mysql", named=True)
    assert tuple(Scenario) == playable(tuple(Scenario), "postgres", named=False)


def test_one_table_is_wanted_of_one_instance() -> None:
    refuse_many("metier.demande_rdv", ["pg1"])
    refuse_many("", ["pg1", "pg2"])
    with pytest.raises(UsageError, match="name it with --instance: pg1, pg2"):
        refuse_many("metier.demande_rdv", ["pg1", "pg2"])


@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_the_statements_of_drills_are_all_there(engine: str) -> None:
    assert {"database", "table", "beat", "beats", "last", "last_of_source"} == set(statements(engine, "heartbeat"))
    assert all(questions(engine).values())
    assert all(not sql.startswith("--") for asked in questions(engine).values() for sql in asked.values())


def test_a_backup_of_the_future_tells_nothing_of_what_would_be_lost() -> None:
    assert since(90.0) == 90.0
    assert since(-2.0) == 0.0  # clocks differ by a little
    assert since(-3 * 86400.0) is None
