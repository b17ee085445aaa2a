"""What was restored beside what was dumped: nothing that is unknown is ever called equal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbwatch.core.backups.comparing import MOST_DIFFERENCES, compare, differences, proven
from dbwatch.core.backups.model import DatabaseFacts, Facts, FactsMode, ProofName, TableFacts
from dbwatch.core.backups.unread import Unread, changed
from dbwatch.jobs.dumping import merged

MARSEILLE = DatabaseFacts(
    "marseille",
    4000,
    "UTF8",
    "fr_FR.UTF-8",
    (("pgcrypto", "1.3"),),
    (("function", 2), ("table", 3), ("trigger", 1)),
    "table=12ab,view=34cd",
)
CITIZENS = TableFacts("marseille", "public", "citizens", 10, "c1")
REQUESTS = TableFacts("marseille", "public", "requests", 20, "r1")
VISITS = TableFacts("marseille", "public", "visits", 0, "v0")
SOURCE = Facts(
    FactsMode.FULL,
    comparable=True,
    evidence="exported snapshot",
    databases=(MARSEILLE,),
    tables=(CITIZENS, REQUESTS, VISITS),
    roles=("app 1f", "mayor"),
)


def restored_with(*tables: TableFacts) -> Facts:
    return replace(SOURCE, tables=tables)


def database_with(**changes: Any) -> Facts:
    return replace(SOURCE, databases=(replace(MARSEILLE, **changes),))


def test_the_same_is_equal_whatever_its_order() -> None:
    same = restored_with(VISITS, REQUESTS, CITIZENS)

    assert differences(SOURCE, same) == ()
    assert compare(SOURCE, same).is_equal
    assert proven(SOURCE, compare(SOURCE, same)) == (
        ProofName.COMPARED,
        "3 of 3 tables compared: 3 by content (exported snapshot)",
    )


@pytest.mark.parametrize(
    ("restored", "told"),
    [
        (restored_with(CITIZENS, REQUESTS), "table marseille.public.visits is missing"),
        (restored_with(CITIZENS, VISITS, replace(REQUESTS, rows=19)), "19 rows instead of 20"),
        (restored_with(CITIZENS, VISITS, replace(REQUESTS, digest="r2")), "requests: other content"),
        (restored_with(*SOURCE.tables, replace(VISITS, table="new")), "public.new was not in the source"),
        (replace(SOURCE, databases=()), "database marseille is missing"),
        (database_with(encoding="LATIN1"), "encoding LATIN1 instead of UTF8"),
        (database_with(extensions=()), "extension pgcrypto is missing"),
        (database_with(inventory=(("function", 2), ("table", 3))), "0 instead of 1 of kind trigger"),
        (database_with(inventory=()), "has no objects, 6 are expected"),
        (database_with(inventory_digest="table=12ab,view=ffff"), "definitions differ of kind view"),
        (database_with(inventory_digest="table=12ab"), "definitions differ of kind view"),
        (replace(SOURCE, roles=("app 1f",)), "role mayor is missing"),
        (replace(SOURCE, roles=("app 2e", "mayor")), "role app may do other things"),
    ],
)
def test_each_thing_that_differs_is_named_and_alone(restored: Facts, told: str) -> None:
    found = compare(SOURCE, restored)

    assert len(found.differences) == 1 == found.different
    assert told in found.differences[0]
    assert not found.is_equal


@pytest.mark.parametrize(
    ("restored", "told"),
    [
        (database_with(collation="C"), "collation C instead of fr_FR.UTF-8"),
        (database_with(extensions=(("pgcrypto", "1.4"),)), "extension pgcrypto 1.4 instead of 1.3"),
        (database_with(inventory_digest=""), "definitions were not compared"),
    ],
)
def test_what_belongs_to_this_machine_is_a_note(restored: Facts, told: str) -> None:
    found = compare(SOURCE, restored)

    assert found.differences == ()
    assert told in found.notes[0]


def test_definitions_of_another_major_version_are_not_compared() -> None:
    found = compare(SOURCE, database_with(inventory_digest="table=ffff"), definitions=False)

    assert found.differences == ()
    assert "the versions differ" in found.notes[0]


def test_more_roles_than_the_source_has_do_no_harm() -> None:
    assert differences(SOURCE, replace(SOURCE, roles=(*SOURCE.roles, "postgres"))) == ()


@pytest.mark.parametrize("side", ["source", "restored"])
def test_what_one_side_does_not_know_is_not_compared_and_never_equal(side: str) -> None:
    unknown = restored_with(CITIZENS, VISITS, replace(REQUESTS, rows=None, digest=None))
    found = compare(unknown, SOURCE) if side == "source" else compare(SOURCE, unknown)

    assert found.differences == ()
    assert (found.tables_compared, found.tables_total) == (2, 3)
    assert not found.is_equal
    name, why = proven(SOURCE, found)
    assert name is ProofName.RESTORED
    assert "only 2 of 3 tables compared" in why


def test_rows_alone_are_compared_and_told_as_such() -> None:
    counted = restored_with(CITIZENS, VISITS, replace(REQUESTS, digest=None))
    found = compare(SOURCE, counted)

    assert found.is_equal
    assert found.summary == "3 of 3 tables compared: 2 by content, 1 by rows"
    assert compare(SOURCE, restored_with(CITIZENS, VISITS, replace(REQUESTS, rows=1, digest=None))).different == 1


def test_facts_of_another_moment_prove_no_equality() -> None:
    source = replace(SOURCE, comparable=False, evidence="the global lock could not be had in time")

    assert proven(source, compare(source, SOURCE)) == (
        ProofName.RESTORED,
        "not compared: the global lock could not be had in time",
    )


def test_of_many_steps_only_those_that_are_not_exact_tell_why_nothing_is_compared() -> None:
    why = "objects of big were changed while it was dumped"
    exact = (Facts(comparable=True, evidence="roles"), replace(SOURCE, evidence="exported snapshot 3-1"))
    moved = merged([*exact, Facts(evidence=why)], FactsMode.FULL)

    assert f"not compared: {why}" == proven(moved, compare(moved, SOURCE))[1]
    assert "roles; exported snapshot 3-1" == merged(exact, FactsMode.FULL).evidence
    off = merged([replace(each, mode=FactsMode.OFF, comparable=False) for each in exact], FactsMode.OFF)
    assert "not compared: no facts were taken" == proven(off, compare(off, off))[1]


@pytest.mark.parametrize("facts", [Facts(), Facts(comparable=True), Facts(FactsMode.FULL, comparable=True)])
def test_without_facts_nothing_is_compared(facts: Facts) -> None:
    assert proven(facts, compare(facts, SOURCE))[0] is ProofName.RESTORED


def test_a_database_of_which_nothing_was_noted_is_not_compared() -> None:
    source = replace(SOURCE, databases=(MARSEILLE, DatabaseFacts("archives", 4000)))
    name, why = proven(source, compare(source, source))

    assert name is ProofName.RESTORED
    assert "database archives nothing was noted" in why


UNNOTED = DatabaseFacts("archives", 4000)
LETTERS = TableFacts("archives", "public", "letters", 5, "l1")
MOVED = "objects of archives were changed while it was dumped"


def test_tables_of_a_database_of_which_nothing_was_noted_are_no_tables_that_the_source_did_not_have() -> None:
    parts = (SOURCE, Facts(FactsMode.FULL, evidence=MOVED, databases=(UNNOTED,)))
    restored = replace(SOURCE, databases=(MARSEILLE, UNNOTED), tables=(*SOURCE.tables, LETTERS))

    source = merged(parts, FactsMode.FULL)

    assert differences(source, restored) == ()
    assert proven(source, compare(source, restored)) == (ProofName.RESTORED, f"not compared: {MOVED}")


def test_a_table_more_in_a_database_that_had_none_was_not_in_the_source() -> None:
    emptied = replace(MARSEILLE, name="archives")
    source = replace(SOURCE, databases=(MARSEILLE, emptied))

    told = differences(source, replace(source, tables=(*SOURCE.tables, LETTERS)))

    assert told == ("table archives.public.letters was not in the source",)


def test_facts_that_were_not_asked_of_the_restore_are_no_comparison() -> None:
    found = compare(SOURCE, Facts())

    assert not found.is_equal
    assert proven(SOURCE, found)[0] is ProofName.RESTORED


def test_a_restore_that_differs_is_never_given_a_name() -> None:
    with pytest.raises(ValueError, match="proves nothing"):
        proven(SOURCE, compare(SOURCE, restored_with(CITIZENS)))


def test_many_differences_are_counted_and_bounded() -> None:
    source = replace(SOURCE, tables=tuple(replace(VISITS, table=f"t{number}") for number in range(1000)))
    found = compare(source, restored_with())

    assert found.different == 1000
    assert len(found.differences) == MOST_DIFFERENCES + 1
    assert found.differences[-1] == "... and 950 more"


COUNT = st.none() | st.integers(0, 3)
DIGEST = st.none() | st.sampled_from(["a", "b"])
TABLES = st.dictionaries(st.sampled_from("abcdef"), st.tuples(COUNT, DIGEST), max_size=6)


@given(TABLES, TABLES)
def test_equal_means_that_every_table_is_there_and_known_to_be_the_same(
    source: dict[str, tuple[int | None, str | None]], restored: dict[str, tuple[int | None, str | None]]
) -> None:
    def facts(tables: dict[str, tuple[int | None, str | None]]) -> Facts:
        return replace(SOURCE, tables=tuple(TableFacts("m", "", name, *known) for name, known in tables.items()))

    def same(name: str) -> bool:
        pairs = [pair for pair in zip(source[name], restored[name], strict=True) if None not in pair]
        return bool(pairs) and all(one == other for one, other in pairs)

    found = compare(facts(source), facts(restored))

    if found.is_equal:
        assert source.keys() >= restored.keys() or not source
        assert all(name in restored and same(name) for name in source)
    elif source and source.keys() == restored.keys():
        assert not all(map(same, source))


def test_what_was_not_compared_is_told_with_its_own_reason() -> None:
    tables = (
        CITIZENS,
        replace(REQUESTS, unread=Unread.MOVING, rows=None, digest=None),
        replace(VISITS, unread=Unread.MEMORY, rows=None, digest=None),
        replace(VISITS, table="history", digest=None, unread=Unread.VERSIONED),
        replace(VISITS, table="large"),
    )
    source = replace(SOURCE, tables=tables)
    restored = replace(source, tables=(*tables[:4], replace(tables[4], unread=Unread.TIME, rows=None, digest=None)))

    _, advice = proven(source, compare(source, restored))

    assert advice.endswith(
        "marseille.public.requests know no transactions; marseille.public.visits are held in memory; "
        "marseille.public.history are versioned, and a dump lacks their history; "
        "marseille.public.large there was no time for: give facts_seconds more"
    )


def test_what_a_dump_changes_is_compared_as_the_dump_has_it_and_counted_by_rows() -> None:
    source = replace(SOURCE, tables=(CITIZENS, replace(REQUESTS, unread=Unread.CHANGED)))
    restored = restored_with(CITIZENS, REQUESTS)
    found = compare(source, restored)
    name, told = proven(source, found)

    assert (found.tables_by_content, found.tables_by_rows, name) == (1, 1, ProofName.COMPARED)
    assert "marseille.public.requests hold values that a dump changes" in told
    assert changed(restored.tables) == ()
    assert [line for line in changed(source.tables) if line.startswith("marseille.public.requests hold values")]
    other = restored_with(CITIZENS, replace(REQUESTS, digest="r2"))
    (difference,) = differences(source, other)
    assert difference.startswith("table marseille.public.requests: other content (it held values that a dump changes;")


def test_definitions_that_differ_have_names_up_to_a_few() -> None:
    objects = tuple((f"view v{number}", "aa") for number in range(8))
    source = replace(SOURCE, databases=(replace(MARSEILLE, objects=objects),))
    others = tuple((name, "bb") for name, _ in objects)
    other = replace(MARSEILLE, objects=others, inventory_digest="table=12ab,view=ffff")

    assert differences(source, replace(SOURCE, databases=(other,))) == (
        "database marseille: definitions differ of kind view: v0, v1, v2, v3, v4 and 3 more",
    )


LEAVES = (
    TableFacts("marseille", "public", "requests_0", 20, "-700", through="public.requests"),
    TableFacts("marseille", "public", "requests_1", 5, "1000", through="public.requests"),
)
SPREAD = (replace(LEAVES[0], rows=1, digest="200"), replace(LEAVES[1], rows=24, digest="100"))


@pytest.mark.parametrize("tables", [LEAVES, tuple(replace(each, through="") for each in LEAVES)])
def test_partitions_over_which_rows_are_spread_anew_are_compared_as_one_table(tables: tuple[TableFacts, ...]) -> None:
    source = restored_with(CITIZENS, *tables)

    found = compare(source, restored_with(*SPREAD, CITIZENS))
    lost = compare(source, restored_with(SPREAD[0], replace(SPREAD[1], rows=23), CITIZENS))
    other = compare(source, restored_with(SPREAD[0], replace(SPREAD[1], digest="101"), CITIZENS))

    assert found.is_equal
    assert (2, 2) == (found.tables_total, found.tables_by_content)
    assert lost.differences == ("table marseille.public.requests: 24 rows instead of 25",)
    assert other.differences == ("table marseille.public.requests: other content",)


def test_a_whole_of_which_one_partition_is_not_known_is_not_known() -> None:
    source = restored_with(*LEAVES)

    counted = compare(source, restored_with(SPREAD[0], replace(SPREAD[1], digest=None)))
    unknown = compare(source, restored_with(SPREAD[0], replace(SPREAD[1], digest=None, rows=None)))

    assert (0, 1, 0) == (counted.tables_by_content, counted.tables_by_rows, counted.different)
    assert (0, 0) == (unknown.tables_compared, unknown.different)
