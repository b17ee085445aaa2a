from __future__ import annotations

import pytest

from dbwatch.core import catalogue, heads, strict_yaml
from dbwatch.core.catalogue import Source
from dbwatch.core.model import Lane
from dbwatch.errors import CatalogueError

FAMILIES = """
dbwatch_things: {type: gauge, help: Things., labels: [database], engines: [postgres]}
dbwatch_other_things_total: {type: counter, help: Other things., engines: [postgres]}
"""
HEAD = """/* ---
description: Counts things.
interval: 10s
metrics:
  dbwatch_things: {value: things, labels: {database: datname}}
--- */
"""


def source(text: str, name: str = "things", kind: str = "metrics") -> Source:
    return Source("postgres", kind, name, f"sql/postgres/{kind}/{name}.sql", text)


def build(*sources: Source) -> catalogue.Catalogue:
    return catalogue.build(catalogue.families(FAMILIES, "families.yml"), sources)


def faults(*sources: Source) -> str:
    with pytest.raises(CatalogueError) as caught:
        build(*sources)
    return str(caught.value)


def test_a_file_is_a_collector() -> None:
    built = build(source(HEAD + "SELECT datname, 1 AS things FROM pg_database;\n"))

    (collector,) = built.collectors_for("postgres")
    assert ("things", 10.0, 1.0, Lane.FAST) == (
        collector.name, collector.interval_seconds, collector.timeout_seconds, collector.lane
    )  # fmt: skip
    assert collector.variants[0].sql == "SELECT datname, 1 AS things FROM pg_database"


def test_variants_are_split_at_when() -> None:
    text = HEAD + "-- @when postgres >= 17\nSELECT 1;\n-- why it differs\n-- @when postgres < 17\nSELECT 2\n"

    (collector,) = build(source(text)).collectors_for("postgres")
    assert [("postgres >= 17", "SELECT 1"), ("postgres < 17", "SELECT 2")] == [
        (variant.condition, variant.sql) for variant in collector.variants
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", "no head"),
        (HEAD, "no SQL"),
        (HEAD.replace("description: Counts things.\n", "") + "SELECT 1", "description"),
        (HEAD.replace("interval: 10s", "interval: soon") + "SELECT 1", "not a duration"),
        (HEAD.replace("interval: 10s", "interval: 10s\nintervall: 10s") + "SELECT 1", "intervall"),
        (HEAD.replace("interval: 10s", "interval: 10s\ninterval: 20s") + "SELECT 1", "stands twice"),
        (HEAD.replace("things:", "nothings:") + "SELECT 1", "not in families.yml"),
        (HEAD.replace("{database: datname}", "{schema: s}") + "SELECT 1", "has no label schema"),
        (HEAD.replace("interval: 10s", "interval: 10s\nneeds: [root]") + "SELECT 1", "probe 'root'"),
        (HEAD.replace("interval: 10s", "interval: 10s\nscope: database") + "SELECT 1", "lane slow or heavy"),
        (HEAD + "-- @when sybase\nSELECT 1", "sybase"),
        (HEAD + "SELECT 0;\n-- @when postgres\nSELECT 1", "before the first @when"),
        ("/* ---\n{unclosed: [\n--- */\nSELECT 1", "not YAML: line"),
    ],
)
def test_a_broken_head_is_told_with_its_file(text: str, expected: str) -> None:
    told = faults(source(text))

    assert expected in told
    assert told.startswith("sql/postgres/metrics/things.sql")


def test_one_metric_twice_for_one_engine_is_refused() -> None:
    told = faults(source(HEAD + "SELECT 1"), source(HEAD + "SELECT 2", "same_things"))

    assert "dbwatch_things is already given by the collector things" in told


def test_all_faults_are_told_at_once() -> None:
    told = faults(source("no head"), source("no head either", "b"), source(HEAD + "-- @when x\nSELECT 1", "c"))

    assert len(told.splitlines()) == 3


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("dbwatch_a_total: {type: gauge, help: A.}", "end in _total"),
        ("dbwatch_a: {type: counter, help: A.}", "end in _total"),
        ("dbwatch_a: {type: info, help: A.}", "end in _info"),
        ("dbwatch_a: {type: gauge, help: A., unit: seconds}", "must end the name"),
        ("pg_a: {type: gauge, help: A.}", "begins with dbwatch_"),
        ("dbwatch_a: {type: gauge, help: A.}\ndbwatch_a_total: {type: counter, help: A.}", "dbwatch_a by one name"),
        ("dbwatch_a_info: {type: info, help: A.}\ndbwatch_a_total: {type: counter, help: A.}", "by one name"),
        ("dbwatch_a: {type: summary, help: A.}", "type"),
        ("dbwatch_a: {type: gauge, help: A., engines: [postgres, oracle]}", "oracle: not one of postgres, mysql"),
        ("5: {type: gauge, help: A.}", "begins with dbwatch_"),
        ("dbwatch_a: {type: gauge}", "help"),
        ("dbwatch_a: {type: gauge, help: A.}\ndbwatch_a: {type: gauge, help: A.}", "stands twice"),
        ("- dbwatch_a", "not a mapping"),
    ],
)
def test_a_family_that_breaks_the_naming_rules_is_refused(entry: str, expected: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        catalogue.families(entry, "families.yml")

    assert expected in str(caught.value)


def test_every_mistake_of_the_families_is_told_at_once() -> None:
    with pytest.raises(CatalogueError) as caught:
        catalogue.families("a: {type: no}\ndbwatch_up: {type: gauge, help: A.}", "families.yml", {"dbwatch_up"})

    told = str(caught.value)
    assert "a: a family's name begins with dbwatch_" in told
    assert "a.type: must be one of" in told or "a: type" in told
    assert "a: type: must be one of counter" in told
    assert "dbwatch_up is a built-in family -> choose another name" in told


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lanes: slow", "lanes: unknown key"),
        ("description: 5", "description: must be text"),
        ("max_series: 0", "max_series: must be greater than 0"),
        ("lane: quick", "lane: must be one of fast, slow, heavy, sampler"),
        ("metrics: {dbwatch_a: {valeu: x}}", "metrics.dbwatch_a.valeu: unknown key"),
        ("metrics: {dbwatch_a: 5}", "metrics.dbwatch_a: must be a section"),
    ],
)
def test_a_heads_mistake_is_told_in_our_words(line: str, expected: str) -> None:
    head = {"description": "d", "interval": "1m", "metrics": {"dbwatch_a": {"value": "x"}}}
    given = strict_yaml.load(line)
    assert isinstance(given, dict)
    with pytest.raises(CatalogueError) as caught:
        heads.validated(heads.CollectorHead, {**head, **given}, "x.sql")
    told = [str(fault) for fault in caught.value.faults]
    assert any(fault.startswith(f"x.sql: {expected}") for fault in told), told
    assert not any("ColumnHead" in fault or "Input" in fault for fault in told)
