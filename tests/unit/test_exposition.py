from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from dbwatch.core import exposition
from dbwatch.core.exposition import Renderer
from dbwatch.core.model import Block, Family, FamilyType, Identity

IDENTITY = Identity("pg1", "postgres", env="prod")
FAMILY = Family("dbwatch_things", FamilyType.GAUGE, "Things.", ("database", "table"))
ODD = 'a"b\\c\nd 🐘 %s %d 100% {}'


def page(block: Block, family: Family = FAMILY, *, is_openmetrics: bool = False) -> str:
    lines = b"".join(Renderer(IDENTITY).render("c", 0, block))
    end = exposition.OPENMETRICS_END if is_openmetrics else b""
    return (exposition.header(family, openmetrics=is_openmetrics) + lines + end).decode()


def test_a_sample_is_one_line_with_the_labels_of_its_instance() -> None:
    text = page(Block("dbwatch_things", ("database",), (("rdv",),), (5,)))

    assert text.splitlines() == [
        "# HELP dbwatch_things Things.",
        "# TYPE dbwatch_things gauge",
        'dbwatch_things{db_instance="pg1",engine="postgres",env="prod",database="rdv"} 5',
    ]


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5, unique=True))
def test_any_identifier_survives_the_way_to_prometheus(names: list[str]) -> None:
    block = Block("dbwatch_things", ("table",), (tuple(names),), tuple(range(len(names))))

    (family,) = parse(page(block))
    assert names == [sample.labels["table"] for sample in family.samples]


def test_odd_identifiers_survive_in_openmetrics_too() -> None:
    block = Block("dbwatch_things", ("table",), ((ODD,),), (1.5,))

    (family,) = openmetrics(page(block, is_openmetrics=True))
    assert [(ODD, 1.5)] == [(sample.labels["table"], sample.value) for sample in family.samples]


def test_a_template_is_reused_while_the_labels_stay_and_made_anew_when_they_change() -> None:
    renderer = Renderer(IDENTITY)
    labels = (("a", "b"),)

    renderer.render("c", 0, Block("dbwatch_things", ("table",), labels, (1, 2)))
    again = renderer.render("c", 0, Block("dbwatch_things", ("table",), (("a", "b"),), (3, 4)))
    other = renderer.render("c", 0, Block("dbwatch_things", ("table",), (("a", "z"),), (5, 6)))
    assert b"".join(again).decode().split()[1::2] == ["3", "4"]
    assert b'table="z"' in other[0]


def test_a_block_without_labels_of_its_own_may_change_its_family() -> None:
    renderer = Renderer(IDENTITY)
    renderer.render("self", 0, Block("dbwatch_things", (), (), (1,)))

    assert renderer.render("self", 0, Block("dbwatch_up", (), (), (0,)))[0].startswith(b"dbwatch_up{")


def test_counters_and_infos_are_headed_as_openmetrics_wants() -> None:
    counter = Family("dbwatch_read_bytes_total", FamilyType.COUNTER, "Bytes.", unit="bytes")
    info = Family("dbwatch_instance_info", FamilyType.INFO, "Info.")

    assert b"# TYPE dbwatch_read_bytes counter\n# UNIT dbwatch_read_bytes bytes\n" in exposition.header(
        counter, openmetrics=True
    )
    assert b"# TYPE dbwatch_instance info\n" in exposition.header(info, openmetrics=True)
    assert b"# TYPE dbwatch_instance_info gauge\n" in exposition.header(info)
    assert b"# TYPE dbwatch_read_bytes_total counter\n" in exposition.header(counter)
