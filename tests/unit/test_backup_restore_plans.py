"""What a person is told of a restore before it begins, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from dbwatch.core.backups import restore_plans
from dbwatch.core.backups.model import (
    BackupKind,
    BackupRecord,
    DatabaseFacts,
    Facts,
    JobReason,
    Manifest,
    Member,
    Proof,
    ProofName,
    ServerIdentity,
    TableFacts,
)
from dbwatch.core.backups.restore_plans import Danger, Part, RestorePlan
from dbwatch.errors import JobError
from dbwatch.jobs import restoring

NOW = 1_795_332_764.0
FACTS = Facts(
    databases=(DatabaseFacts("ville", 8_000_000), DatabaseFacts("archives", 2_000_000)),
    tables=(TableFacts("ville", "metier", "Demande RDV", rows=4, bytes=1_000_000),),
)


def record(sequence: int = 1, *proofs: Proof, instance: str = "pg1", problem: str = "") -> BackupRecord:
    manifest = Manifest(
        id=f"20261122T073238Z-{sequence:06d}-64f6c29f",
        sequence=sequence,
        kind=BackupKind.LOGICAL,
        instance=instance,
        engine="postgres",
        server=ServerIdentity("postgres", (18, 6), "18.6", "42"),
        started_at=NOW - 3600,
        ended_at=NOW - 3500,
        seconds=100.0,
        members=(Member("00_ville.dump", 500_000, "0" * 64, database="ville"),),
        facts=FACTS,
    )
    return BackupRecord(manifest, proofs, problem=problem)


def proof(name: ProofName, reason: JobReason | None = None, seconds: float = 20.0) -> Proof:
    return Proof(name, NOW - 1000, seconds, reason, "it has 1000 bytes" if reason else "")


PROVEN = record(2, proof(ProofName.COMPARED))
ALL = Part()


def test_the_newest_proven_set_is_taken_and_the_newest_of_all_where_none_is() -> None:
    later = record(3, proof(ProofName.PUBLISHED))

    assert PROVEN == restore_plans.chosen([later, record(1, proof(ProofName.DECODED)), PROVEN], "pg1")
    assert later == restore_plans.chosen([record(1), later], "pg1")
    assert later == restore_plans.chosen([PROVEN, later], "pg1", later.id)
    assert restore_plans.chosen([PROVEN], "pg2") is None


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (PROVEN, ""),
        (record(1, proof(ProofName.DECODED)), ""),
        (record(1, proof(ProofName.HASHED)), "proven: hashed"),
        (record(1), "proven: nothing"),
        (
            record(1, proof(ProofName.COMPARED), proof(ProofName.HASHED, JobReason.CORRUPT)),
            "it has 1000 bytes (found when",
        ),
        (record(1, proof(ProofName.COMPARED), problem="the manifest is gone"), "the manifest is gone"),
    ],
)
def test_what_was_never_read_to_its_end_is_not_relied_on(known: BackupRecord, why: str) -> None:
    told = restore_plans.unproven(known)

    assert bool(told) is bool(why)
    assert why in told


def test_a_table_is_named_as_its_engine_names_it() -> None:
    assert Part("ville", "metier", "rdv", "x") == restore_plans.part_of(["ville", "metier.rdv"], "postgres", "x")
    assert Part("ville", "", "rdv") == restore_plans.part_of(["ville", "rdv"], "mysql")
    assert Part("ville", "", "rdv.x") == restore_plans.part_of(["ville", "rdv.x"], "mysql")  # a dot is of the name
    assert Part() == restore_plans.part_of([], "mysql")
    with pytest.raises(ValueError, match=r"SCHEMA\.TABLE"):
        restore_plans.part_of(["ville", "rdv"], "postgres")


DOTTED = frozenset({("ville", "Sch X", "a.b"), ("ville", "a", "b.c"), ("ville", "a.b", "c"), ("autre", "Sch X.a", "b")})


@pytest.mark.parametrize("name", ["Sch X.a.b", '"Sch X"."a.b"', 'Sch X."a.b"'])
def test_a_name_with_a_dot_in_it_is_told_apart_by_the_tables_that_the_set_holds(name: str) -> None:
    assert Part("ville", "Sch X", "a.b") == restore_plans.part_of(["ville", name], "postgres", known=DOTTED)


def test_where_no_such_table_is_known_the_last_dot_parts_schema_and_table() -> None:
    assert Part("ville", "x.y", "z") == restore_plans.part_of(["ville", "x.y.z"], "postgres", known=DOTTED)
    assert Part("ville", "x", 'y.z"') == restore_plans.part_of(["ville", '"x"."y.z"""'], "postgres")
    assert Part("ville", '"x', "z") == restore_plans.part_of(["ville", '"x.z'], "postgres")


def test_a_name_that_two_tables_bear_is_refused_with_both() -> None:
    told = re.escape("""'a.b.c' is "a"."b.c" and "a.b"."c" -> name the one that is meant with these quotes""")
    with pytest.raises(ValueError, match=told):
        restore_plans.part_of(["ville", "a.b.c"], "postgres", known=DOTTED)
    for schema, table in (("a", "b.c"), ("a.b", "c")):
        named = f'"{schema}"."{table}"'
        assert Part("ville", schema, table) == restore_plans.part_of(["ville", named], "postgres", known=DOTTED)


def test_a_part_takes_its_share_of_the_time() -> None:
    known = [PROVEN]

    assert 20.0 == restore_plans.expected_seconds(PROVEN, known, Part())
    assert 16.0 == restore_plans.expected_seconds(PROVEN, known, Part("ville"))
    assert 1_000_000 == restore_plans.size_of(PROVEN, Part("ville", "metier", "Demande RDV"))


def test_a_part_that_nobody_measured_takes_no_more_than_all() -> None:
    partitioned = Part("ville", "metier", "visites")

    assert restore_plans.size_of(PROVEN, partitioned) is None
    assert 20.0 == restore_plans.expected_seconds(PROVEN, [PROVEN], partitioned)
    lines = list(restore_plans.lines(replace(planned(partitioned), size_bytes=None), NOW))
    assert "size       not known, 16 s at the most" in lines


def planned(part: Part = ALL, *dangers: tuple[Danger, str]) -> RestorePlan:
    return RestorePlan(
        PROVEN, part, "pg2 (10.0.0.5:5432)", ("ville",), 8_000_000, 16.0, (("pg_restore", "18.6"),), dangers
    )


def test_a_plan_tells_what_from_where_to_and_what_stands_in_the_way() -> None:
    lines = list(restore_plans.lines(planned(Part("ville"), (Danger.NON_EMPTY, "ville holds 3 objects")), NOW))

    assert "restore    the database ville" in lines
    assert "state of   2026-11-22 06:32:44 UTC (1 h ago)" in lines
    assert "proof      compared (L3)" in lines
    assert "size       7.63 MiB, about 16 s" in lines
    assert "DANGER     ville holds 3 objects (allow it with --into-non-empty)" in lines


def test_a_plan_says_that_the_events_of_a_copy_do_not_run() -> None:
    ville = replace(FACTS.databases[0], inventory=(("event", 1), ("table", 3)))
    manifest = replace(PROVEN.manifest, engine="mysql", facts=replace(FACTS, databases=(ville,)))
    mysql = replace(PROVEN, manifest=manifest)
    note = "note       the events of copie are DISABLED, or they would run beside those of ville"

    def notes(part: Part) -> list[str]:
        return [line for line in restore_plans.lines(replace(planned(part), record=mysql), NOW) if "events" in line]

    assert notes(Part("ville", into="copie"))[0].startswith(note)
    assert notes(Part("ville")) == notes(Part("ville", table="t", into="copie")) == []


def test_a_plan_says_that_bodies_of_a_copy_work_on_what_they_name() -> None:
    ville = replace(FACTS.databases[0], inventory=(("routine", 1), ("trigger", 1), ("table", 3)))
    manifest = replace(PROVEN.manifest, engine="mysql", facts=replace(FACTS, databases=(ville,)))
    mysql = replace(PROVEN, manifest=manifest)

    def note(part: Part) -> str:
        return "".join(
            line for line in restore_plans.lines(replace(planned(part), record=mysql), NOW) if "text" in line
        )

    assert "what names ville in the text of a routine or trigger works on ville" in note(Part("ville", into="copie"))
    assert "in the text of a trigger works on ville" in note(Part("ville", table="t", into="copie"))
    assert not note(Part("ville"))


def test_a_plan_for_a_set_that_was_found_bad_says_so() -> None:
    bad = record(1, proof(ProofName.DECODED), proof(ProofName.COMPARED, JobReason.MISMATCH))

    assert "proof      BAD: see below" in restore_plans.lines(replace(planned(), record=bad), NOW)


def test_who_restores_into_what_is_there_is_told_what_becomes_of_it() -> None:
    dangerous = planned(Part("ville"), (Danger.NON_EMPTY, "ville holds 3 objects"))
    mysql = replace(PROVEN, manifest=replace(PROVEN.manifest, engine="mysql"))

    assert list(restore_plans.lines(dangerous, NOW))[-1].startswith("nothing that is there is dropped")
    assert "DROPPED and replaced" in list(restore_plans.lines(replace(dangerous, record=mysql), NOW))[-1]
    assert "DROPPED" not in list(restore_plans.lines(replace(planned(), record=mysql), NOW))[-1]


def test_each_danger_needs_its_own_word() -> None:
    both = planned(Part(), (Danger.SOURCE, "it is the source"), (Danger.NON_EMPTY, "something is there"))

    with pytest.raises(JobError, match=r"it is the source; something .* --onto-source --into-non-empty"):
        restoring.refuse(both, frozenset())
    with pytest.raises(JobError, match=r"refused: something is there -> .* --into-non-empty$"):
        restoring.refuse(both, frozenset({Danger.SOURCE}))
    restoring.refuse(both, frozenset({Danger.SOURCE, Danger.NON_EMPTY}))


def test_what_the_set_does_not_hold_is_told_before() -> None:
    with pytest.raises(JobError, match="holds no database x: it holds ville, archives"):
        restoring.refuse_unknown(PROVEN, Part("x"))
    assert "holds no table metier.y of ville" in restore_plans.no_table(PROVEN, Part("ville", "metier", "y"), "")
    with pytest.raises(JobError, match="name the database"):
        restoring.refuse_unknown(PROVEN, Part(into="copy"))


@pytest.mark.parametrize(
    ("schema", "table", "told"),
    [
        ("metier", "Demande RDV", ""),
        ("metier", "citoyens", ""),
        ("metier", "Demande\nRDV", "does not tell 'metier.Demande\\nRDV' from 'metier.Demande RDV'"),
        ("metier Demande", "RDV", "does not tell 'metier Demande.RDV' from 'metier.Demande RDV'"),
        ("metier", "Demande", "does not tell 'metier.Demande' from 'metier.Demande RDV'"),
        ("metier", "a\nb", "does not tell 'metier.a\\nb' from one with a blank where its name breaks the line"),
    ],
)
def test_a_table_that_the_list_writes_like_another_is_not_restored_alone(schema: str, table: str, told: str) -> None:
    why = restore_plans.indistinct(PROVEN, Part("ville", schema, table, "copie"))

    assert told in why
    assert bool(why) is bool(told)
    assert why.endswith("restore database pg1 ville --as NEW_NAME") is bool(told)


def test_a_partition_whose_rows_come_through_the_whole_is_not_restored_alone() -> None:
    partition = TableFacts("ville", "metier", "dossier_0", rows=4, through="metier.dossier")
    known = replace(PROVEN, manifest=replace(PROVEN.manifest, facts=replace(FACTS, tables=(partition,))))

    why = restore_plans.inseparable(known, Part("ville", "metier", "dossier_0", "copie"))

    assert "metier.dossier_0 is a partition whose rows are restored through metier.dossier" in why
    assert why.endswith("-> restore table pg1 ville metier.dossier")
    assert not restore_plans.inseparable(known, Part("ville", "metier", "dossier", "copie"))


def test_a_partition_that_is_parted_itself_is_not_restored_alone_either() -> None:
    leaf = TableFacts("ville", "metier", "dossier_0_1", through="metier.dossier", within=("metier.dossier_0",))
    known = replace(PROVEN, manifest=replace(PROVEN.manifest, facts=replace(FACTS, tables=(leaf,))))

    why = restore_plans.inseparable(known, Part("ville", "metier", "dossier_0", "copie"))

    assert "metier.dossier_0 is a partition whose rows are restored through metier.dossier" in why
    assert not restore_plans.inseparable(known, Part("ville", "metier", "dossier", "copie"))
    assert not restore_plans.inseparable(known, Part("autre", "metier", "dossier_0", "copie"))


def test_a_name_that_breaks_the_line_of_a_dump_is_refused_with_the_way_to_what_it_names() -> None:
    known = replace(PROVEN, manifest=replace(PROVEN.manifest, engine="mysql"))

    table = restore_plans.indistinct(known, Part("ville", "", "a\nb", "copie"))
    database = restore_plans.indistinct(known, Part("a\nb", into="copie"))

    assert table.startswith("a dump does not tell 'a\\nb' from what stands around it")
    assert table.endswith("restore database pg1 ville --as NEW_NAME")
    assert database.endswith("it comes with everything -> restore full pg1")
    assert not restore_plans.indistinct(known, Part("ville", "", "a b", "copie"))


def test_a_view_that_only_the_inventory_knows_is_answered_with_what_can_be_named() -> None:
    views = DatabaseFacts("ville", inventory=(("sequence", 0), ("table", 3), ("view", 2)))
    manifest = replace(PROVEN.manifest, engine="mysql", facts=replace(FACTS, databases=(views,)))
    known = replace(PROVEN, manifest=manifest)

    told = restore_plans.no_table(known, Part("ville", "", "v"), "")

    assert "holds no table v of ville (it holds views too: if it is one of these, it comes with its database" in told
    assert told.endswith("restore database pg1 ville --as NEW_NAME)")


def test_a_line_break_in_a_name_begins_no_line_of_a_plan() -> None:
    name = "x\nproof      compared (L4)\x1b[2K"
    forged = replace(planned(), part=Part(name, "metier", name), makes=(name,), notes=(name,), obstacles=(name,))

    lines = list(restore_plans.lines(forged, NOW))

    assert all(line.isprintable() for line in lines)
    assert 1 == sum(line.startswith("proof ") for line in lines)


def test_what_the_account_may_not_is_shown_and_no_word_helps() -> None:
    lacking = replace(planned(), obstacles=("the account may make no database: ALTER ROLE x CREATEDB;",))

    assert "OBSTACLE   the account may make no database: ALTER ROLE x CREATEDB;" in restore_plans.lines(lacking, NOW)
    with pytest.raises(JobError, match="refused: the account may make no database: ALTER ROLE x CREATEDB;"):
        restoring.refuse(lacking, frozenset(Danger))
    with pytest.raises(JobError, match=r"refused: the account may make no database: ALTER ROLE x CREATEDB;$"):
        restoring.refuse(replace(lacking, dangers=((Danger.NON_EMPTY, "something is there"),)), frozenset())


@pytest.mark.parametrize(("engine", "fits"), [("postgres", "é" * 31), ("mysql", "é" * 64)])
def test_a_name_is_as_long_as_its_engine_allows(engine: str, fits: str) -> None:
    assert Part("ville", into=fits) == restore_plans.part_of(["ville"], engine, fits)
    with pytest.raises(ValueError, match="name a shorter one"):
        restore_plans.part_of(["ville"], engine, f"{fits}é")


def test_a_side_database_is_named_after_the_table_and_the_moment() -> None:
    assert "restored_demande_rdv_20261122_0632" == restore_plans.beside("metier.demande_rdv", NOW - 3600)
    assert 63 > len(restore_plans.beside("é" * 90, NOW).encode())
