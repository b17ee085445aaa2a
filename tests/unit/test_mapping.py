from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from dbwatch.core.mapping import Mapper, budgeted, columns_read
from dbwatch.core.model import Block, Collector, Column, Family, FamilyType, Lane, Rows, TopN
from dbwatch.errors import EngineError, Reason

FAMILIES = {
    "dbwatch_things": Family("dbwatch_things", FamilyType.GAUGE, "Things."),
    "dbwatch_age_seconds": Family("dbwatch_age_seconds", FamilyType.GAUGE, "Age.", unit="seconds"),
    "dbwatch_reads_total": Family("dbwatch_reads_total", FamilyType.COUNTER, "Reads."),
}
THINGS = Column("dbwatch_things", "things", (("database", "datname"),))


def collector(*metrics: Column, **more: Any) -> Collector:
    return Collector("c", "postgres", "", metrics, (), 10.0, 1.0, Lane.FAST, **more)


def rows(names: str, *of: tuple[object, ...]) -> Rows:
    split = tuple(names.split())
    return Rows(split, tuple(map(list, zip(*of, strict=True))) if of else tuple([] for _ in split))


def samples(mapper: Mapper, result: Rows, now: float = 0.0, elapsed: float = 0.0) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for block in mapper.blocks(result, now, elapsed):
        for labels, value in block.samples():
            found[(block.family, *labels.values())] = value
    return found


def things(mapper: Mapper, *of: tuple[object, ...], now: float = 0.0) -> dict[str, float]:
    return {key[1]: value for key, value in samples(mapper, rows("datname things", *of), now).items()}


def test_rows_become_samples() -> None:
    mapper = Mapper(collector(THINGS), FAMILIES)

    assert {"a": 1, "b": 2.5} == things(mapper, ("a", 1), ("b", 2.5))


def test_null_is_absent_not_zero() -> None:
    mapper = Mapper(collector(THINGS), FAMILIES)

    assert {"b": 0} == things(mapper, ("a", None), ("b", 0))
    assert {} == things(mapper, ("a", None))
    assert {} == things(mapper)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_absent(value: float) -> None:
    assert {"b": 1.5} == things(Mapper(collector(THINGS), FAMILIES), ("a", value), ("b", 1.5))


def test_decimals_booleans_and_text_are_numbers() -> None:
    mapper = Mapper(collector(THINGS), FAMILIES)

    assert {"a": 1.5, "b": 1, "c": 7, "d": 0.25} == things(
        mapper, ("a", Decimal("1.5")), ("b", True), ("c", "7"), ("d", b"0.25")
    )


def test_text_that_is_no_number_is_a_shape_error() -> None:
    with pytest.raises(EngineError) as caught:
        things(Mapper(collector(THINGS), FAMILIES), ("a", "secret text"))

    assert caught.value.reason is Reason.SHAPE
    assert "secret" not in str(caught.value)


def test_a_missing_column_is_a_shape_error() -> None:
    with pytest.raises(EngineError) as caught:
        samples(Mapper(collector(THINGS), FAMILIES), rows("datname", ("a",)))

    assert caught.value.reason is Reason.SHAPE


def test_the_same_labels_twice_are_a_shape_error_and_not_a_broken_page() -> None:
    with pytest.raises(EngineError) as caught:
        things(Mapper(collector(THINGS), FAMILIES), ("a", 1), ("a", 2))

    assert caught.value.reason is Reason.SHAPE


def test_scale_enum_constant_and_states() -> None:
    mapper = Mapper(
        collector(
            Column("dbwatch_age_seconds", "ms", (("kind", "=old"),), scale=0.001),
            Column("dbwatch_things", "flag", (("kind", "=flag"),), enum=(("on", 1.0), ("off", 0.0))),
            Column("dbwatch_things", "state", (), states=("running", "stopped")),
            Column("dbwatch_things", "=1", (("kind", "=constant"),)),
        ),
        FAMILIES,
    )

    assert {
        ("dbwatch_age_seconds", "old"): 1.5,
        ("dbwatch_things", "flag"): 1,
        ("dbwatch_things", "running"): 0,
        ("dbwatch_things", "stopped"): 1,
        ("dbwatch_things", "constant"): 1,
    } == samples(mapper, rows("ms flag state", (1500, "ON", "Stopped")))


def test_a_show_is_read_by_key() -> None:
    mapper = Mapper(collector(Column("dbwatch_things", "threads"), key_value=("Variable_name", "Value")), FAMILIES)

    assert {("dbwatch_things",): 12} == samples(mapper, rows("Variable_name Value", ("Threads", "12"), ("Other", "x")))


def test_a_moment_has_no_sum_and_what_nobody_tells_is_no_zero() -> None:
    family = "dbwatch_expires_timestamp_seconds"
    families = {**FAMILIES, family: Family(family, FamilyType.GAUGE, "When.", unit="seconds")}
    columns = (Column(family, "at", (("user", "usename"),)), Column("dbwatch_things", "n"))
    mapper = Mapper(collector(*columns, accounts=("usename",)), families, accounts=frozenset({"billing"}))
    answer = rows("usename at n", ("billing", 40.0, None), ("jane", 10.0, None), ("joe", 20.0, None))

    assert {(family, "billing"): 40.0} == samples(mapper, answer)


def test_a_name_that_a_show_lacks_takes_no_other_along() -> None:
    read = (Column("dbwatch_things", "threads"), Column("dbwatch_age_seconds", "newer", (("kind", "=old"),)))
    mapper = Mapper(collector(*read, key_value=("Variable_name", "Value")), FAMILIES)

    assert {("dbwatch_things",): 12} == samples(mapper, rows("Variable_name Value", ("Threads", "12")))


def test_only_service_accounts_are_named_and_the_others_add_up() -> None:
    mapper = Mapper(
        collector(Column("dbwatch_things", "n", (("user", "usename"),)), accounts=("usename",)),
        FAMILIES,
        accounts=frozenset({"app_rdv"}),
    )

    found = samples(mapper, rows("usename n", ("app_rdv", 3), ("jeanne.martin", 2), ("paul.durand", 1), (None, 4)))
    assert {("dbwatch_things", "app_rdv"): 3, ("dbwatch_things", "_other"): 3, ("dbwatch_things", ""): 4} == found


def test_the_database_of_a_session_is_a_column() -> None:
    mapper = Mapper(
        collector(Column("dbwatch_things", "n", (("database", "database"),))), FAMILIES, constants={"database": "rdv"}
    )

    assert {("dbwatch_things", "rdv"): 5} == samples(mapper, rows("n", (5,)))


def test_integration_adds_value_times_seconds_and_keeps_every_class() -> None:
    column = Column("dbwatch_reads_total", "n", (("wait_class", "class"),), integrate=True)
    mapper = Mapper(collector(column), FAMILIES)

    samples(mapper, rows("class n", ("io", 2), ("cpu", 1)), elapsed=1.0)
    found = samples(mapper, rows("class n", ("io", 4)), elapsed=0.5)
    assert {("dbwatch_reads_total", "io"): 4.0, ("dbwatch_reads_total", "cpu"): 1.0} == found


TOP = TopN(("datname",), "things", 2)


def test_the_rest_of_a_gauge_is_the_sum_of_what_has_no_place() -> None:
    mapper = Mapper(collector(THINGS, top=TOP), FAMILIES)

    assert {"a": 9, "b": 8, "_other": 3} == things(mapper, ("a", 9), ("b", 8), ("c", 2), ("d", 1))


def test_a_place_is_kept_until_the_review_although_another_weighs_more() -> None:
    mapper = Mapper(collector(THINGS, top=TOP), FAMILIES)
    things(mapper, ("a", 9), ("b", 8), ("c", 2))

    assert {"a": 9, "b": 8, "_other": 50} == things(mapper, ("a", 9), ("b", 8), ("c", 50), now=60)
    assert {"a": 9, "c": 50, "_other": 8} == things(mapper, ("a", 9), ("b", 8), ("c", 50), now=3601)


def test_the_first_choice_by_growth_is_made_again_after_five_minutes() -> None:
    """At the start only totals are known: what was busy long ago gives its place to what is busy now."""
    mapper = Mapper(collector(THINGS, top=TopN(("datname",), "things", 2, growth=True)), FAMILIES)
    things(mapper, ("a", 900), ("b", 800), ("c", 2))

    assert {"a": 900, "b": 800, "_other": 50} == things(mapper, ("a", 900), ("b", 800), ("c", 50), now=299)
    assert {"a": 901, "c": 60, "_other": 800} == things(mapper, ("a", 901), ("b", 800), ("c", 60), now=301)


def test_no_rest_where_everything_has_a_place() -> None:
    assert {"a": 9, "b": 8} == things(Mapper(collector(THINGS, top=TOP), FAMILIES), ("a", 9), ("b", 8))


def test_an_age_has_no_rest_because_ages_do_not_add_up() -> None:
    column = Column("dbwatch_age_seconds", "things", (("database", "datname"),))
    mapper = Mapper(collector(column, top=TopN(("datname",), "things", 1)), FAMILIES)

    assert {"a": 9} == things(mapper, ("a", 9), ("b", 8))


def reads(mapper: Mapper, *of: tuple[object, ...], now: float = 0.0) -> dict[str, float]:
    return {key[1]: value for key, value in samples(mapper, rows("datname reads", *of), now).items()}


def counting(limit: int = 1) -> Mapper:
    column = Column("dbwatch_reads_total", "reads", (("database", "datname"),))
    return Mapper(collector(column, top=TopN(("datname",), "reads", limit)), FAMILIES)


def test_the_rest_of_a_counter_is_what_the_others_grew_since_we_watch() -> None:
    mapper = counting()

    assert {"a": 900, "_other": 0} == reads(mapper, ("a", 900), ("b", 500), ("c", 100))
    assert {"a": 901, "_other": 15} == reads(mapper, ("a", 901), ("b", 510), ("c", 105))
    assert {"a": 902, "_other": 15} == reads(mapper, ("a", 902), ("b", 510), ("c", 105))


def test_the_rest_never_falls_and_never_spikes_when_an_item_is_reset() -> None:
    mapper = counting()
    reads(mapper, ("a", 900), ("b", 500))

    assert {"a": 900, "_other": 3} == reads(mapper, ("a", 900), ("b", 3))


def test_the_rest_does_not_spike_when_an_item_appears_with_a_long_past() -> None:
    mapper = counting()
    reads(mapper, ("a", 900), ("b", 500))

    assert {"a": 900, "_other": 1} == reads(mapper, ("a", 900), ("b", 501), ("old", 800))
    assert {"a": 900, "_other": 3} == reads(mapper, ("a", 900), ("b", 502), ("old", 801))


def test_the_rest_does_not_spike_when_an_item_loses_its_place() -> None:
    mapper = counting()
    reads(mapper, ("a", 900), ("b", 500))

    after_review = reads(mapper, ("a", 910), ("b", 2000), now=3601)
    assert {"b": 2000, "_other": 10} == after_review


def test_the_rest_does_not_spike_when_an_item_is_told_again_after_it_was_null() -> None:
    mapper = counting()
    reads(mapper, ("a", 900), ("b", 500), ("c", None))
    assert {"a": 900, "_other": 0} == reads(mapper, ("a", 900), ("b", None), ("c", None))
    assert {"a": 900, "_other": 4} == reads(mapper, ("a", 900), ("b", 504), ("c", 800))
    assert {"a": 900, "_other": 7} == reads(mapper, ("a", 900), ("b", 505), ("c", 802))


def test_the_rest_is_exact_whatever_the_order_of_the_rows() -> None:
    mapper = counting()
    reads(mapper, ("a", 900), ("b", 500), ("c", 100))

    assert {"a": 900, "_other": 15} == reads(mapper, ("c", 105), ("b", 510), ("a", 900))


def test_the_rest_does_not_spike_when_another_server_answers() -> None:
    mapper = counting()
    reads(mapper, ("a", 900), ("b", 500))
    mapper.rebase()

    assert {"a": 900, "_other": 0} == reads(mapper, ("a", 900), ("b", 8000))
    assert {"a": 900, "_other": 2} == reads(mapper, ("a", 900), ("b", 8002))


def test_an_absent_item_loses_its_place_only_after_three_polls() -> None:
    mapper = counting()
    reads(mapper, ("a", 900), ("b", 500), ("c", 100))

    for _ in range(2):
        assert reads(mapper, ("b", 500), ("c", 100)).keys() == {"_other"}
    assert {"b": 500, "_other": 0} == reads(mapper, ("b", 500), ("c", 100))


def test_a_budget_cuts_and_counts() -> None:
    block = Block("dbwatch_things", ("a",), (("x", "y", "z"),), (1, 2, 3))

    kept, dropped = budgeted([block, block], 4)
    assert [3, 1] == [len(part) for part in kept]
    assert dropped == 2
    assert kept[1].label_values == (("x",),)


def test_only_columns_that_something_reads_are_asked_for() -> None:
    wanted = collector(THINGS, Column("dbwatch_things", "=1", (("x", "=y"),)), top=TopN(("datname",), "size"))

    assert columns_read(wanted) == ("things", "datname", "size")


def test_big_integers_do_not_overflow() -> None:
    assert {"a": 2.0**70} == things(Mapper(collector(THINGS), FAMILIES), ("a", 2**70))
