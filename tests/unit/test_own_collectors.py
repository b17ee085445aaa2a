"""What keeps operators' collectors apart from ours and from each other, and a collector that looks at the machine."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
import yaml

from dbwatch import library
from dbwatch.cli import doctor
from dbwatch.core import catalogue, consistency
from dbwatch.core.catalogue import Source
from dbwatch.errors import CatalogueError
from dbwatch.files import config_root
from dbwatch.poller import asking
from dbwatch.poller.once import Target, poll_once
from dbwatch.settings.models import MysqlInstance, PostgresInstance
from tests.demo_configuration import demo_config
from tests.fakes import FACTS, FakeEngine, rows

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.core.model import Collector

HEAD = "/* ---\ndescription: C.\ninterval: 5m\n{keys}metrics:\n  dbwatch_own: {entry}\n--- */\nSELECT 1 AS n\n"
FAMILIES = "dbwatch_own: {type: gauge, help: Own., labels: [database, rule, kind], engines: [postgres]}"


QUESTION = "/* ---\ndescription: Q.\n--- */\nSELECT 1\n"


@cache
def shipped() -> catalogue.Catalogue:
    return library.load()


def collector(name: str, labels: str, keys: str = "") -> Collector:
    text = HEAD.format(keys=keys, entry="{value: n, labels: {" + labels + "}}")
    return catalogue.collector(Source("postgres", "metrics", name, f"{name}.sql", text, builtin=False))


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("rule: =a", "rule: =b", True),
        ("rule: =a, database: d", "database: d, rule: =b", True),
        ("rule: =a", "rule: =a", False),
        ("rule: =a", "rule: r", False),  # a query could give the same
        ("rule: =a", "kind: =b", False),
        ("rule: =a, kind: =x", "rule: =a, kind: =y", True),
        ("", "", False),
    ],
)
def test_two_collectors_share_a_family_only_where_constants_keep_them_apart(
    one: str, other: str, *, apart: bool
) -> None:
    first, second = collector("one", one), collector("other", other)

    assert apart is consistency.are_apart(first, second, "dbwatch_own")
    assert apart is (list(consistency.clashes([first, second])) == [])


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("lane: sampler\n", "the sampler is dbwatch's own"),
        ("lane: fast\ntimeout: 5s\n", "the lane fast gives one second at most"),
        ("databases: [shop]\n", "databases needs the scope database"),
        ("source: host\nscope: database\n", "source host needs the scope instance"),
        ("source: dice\n", "source: must be one of sql, host"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(keys: str, told: str) -> None:
    text = HEAD.format(keys=keys, entry="{value: n}")
    with pytest.raises(CatalogueError, match=told):
        catalogue.build(
            catalogue.families(FAMILIES, "families.yml"),
            [Source("postgres", "metrics", "own", "own.sql", text, builtin=False)],
        )


@pytest.mark.parametrize("label", ["engine", "db_instance", "team", "job", "le", "__name__"])
def test_a_label_that_every_series_has_already_is_refused(label: str) -> None:
    with pytest.raises(CatalogueError, match="is taken"):
        catalogue.families(f"dbwatch_own: {{type: gauge, help: Own., labels: [{label}]}}", "families.yml")


def small(*collectors: tuple[str, str]) -> catalogue.Catalogue:
    sources = [
        Source(
            "postgres",
            "metrics",
            name,
            f"{name}.sql",
            HEAD.format(keys=keys, entry="{value: n, labels: {database: database}}"),
        )
        for name, keys in collectors
    ]
    sources += [Source("postgres", "jobs", name, name, QUESTION) for name in ("facts", "databases")]
    own = {name: family for name, family in shipped().families.items() if not family.engines}
    return catalogue.build(catalogue.families(FAMILIES, "families.yml") | own, sources)


def instance(**described: object) -> PostgresInstance:
    return PostgresInstance.model_validate({"name": "pg1", "engine": "postgres", "monitor": {"user": "u"}, **described})


async def test_a_collector_meant_for_one_database_is_asked_in_no_other() -> None:
    databases: list[tuple[object, ...]] = [("shop_1", None), ("rdv", None), ("shop_2", None), ("shop_3", "GRANT")]
    engine = FakeEngine(answers={"databases": rows("name", "remedy", of=databases), "own": rows("n", of=[(7,)])})
    made = small(("own", "scope: database\ndatabases: [shop_*]\n"))
    poll = await poll_once(Target(instance(), engine, made))
    asked = {
        labels["database"]
        for block in poll.all_blocks
        if block.family == "dbwatch_own"
        for labels, _ in block.samples()
    }

    assert {"shop_1", "shop_2"} == asked
    assert "shop_3" in poll.state.collectors["own"].message  # it is meant for that one, and may not enter
    poll = await poll_once(Target(instance(), engine, made, most_databases=1))
    assert 1 == poll.state.collectors["own"].series


@pytest.mark.parametrize(
    ("condition", "installed", "why"),
    [
        ("extension shop >= 1.4", None, "optional"),
        ("extension shop >= 1.4", (1, 3), "version"),
        ("extension shop >= 1.4", (1, 4), ""),
        ("postgres >= 19 and extension shop", None, "version"),
        ("postgres >= 18 and extension shop", None, "optional"),
        ("postgres < 18", None, "version"),
    ],
)
def test_what_lacks_an_extension_alone_is_optional_and_only_what_is_for_another_version_is_not_for_it(
    condition: str, installed: tuple[int, ...] | None, why: str
) -> None:
    made = collector("own", "rule: =a")
    item = replace(made, variants=(replace(made.variants[0], condition=condition),))
    known = replace(FACTS, extensions={"shop": installed} if installed else {})

    assert why == asking.left_out(item, known)


async def test_the_machine_is_looked_at_only_where_the_server_is_said_to_be_on_it() -> None:
    host = shipped().collectors["postgres", "host"]
    here = (instance(host="local"), instance(host="/run/postgresql"))
    elsewhere = (instance(), instance(host="127.0.0.1"), instance(host="db1.example.org"))

    assert [""] * 2 == [asking.left_out(host, FACTS, each) for each in here]
    assert ["remote"] * 3 == [asking.left_out(host, FACTS, each) for each in elsewhere]
    assert ("127.0.0.1", True) == (here[0].address, here[0].is_local)
    socket = MysqlInstance.model_validate({"name": "m", "engine": "mysql", "monitor": {"user": "u"}, "socket": "/s"})
    assert socket.is_on_this_machine


async def test_doctor_says_where_the_server_must_be_and_what_is_closed_to_us() -> None:
    made = shipped()
    only = {key: item for key, item in made.collectors.items() if key == ("postgres", "host")}
    probes = {"probe_pg_monitor": rows("granted", of=[(True,)])}
    engine = FakeEngine(
        answers={
            **probes,
            "host": rows("fact", "purpose", "value", of=[("backend_pid", "", "1"), ("started_at", "", "1")]),
        }
    )
    found = await doctor.examine(Target(instance(), engine, replace(made, collectors=only)))
    assert "left out host: the server is elsewhere (were it on this machine: `host: local`)" in "\n".join(found.lines)

    found = await doctor.examine(Target(instance(host="local"), engine, replace(made, collectors=only)))
    text = "\n".join(found.lines)
    assert "FAILED   host: missing: the process of our session (1) is not on this machine" in text
    assert "`collectors: {host: {enabled: false}}` switches this off" in text


def test_the_example_is_whole_and_active_in_the_demonstration_only(tmp_path: Path) -> None:
    made = library.load([config_root() / "collectors"])
    rules = [
        {name for of, name in made.collectors if of == engine and name.startswith("quality_")}
        for engine in catalogue.ENGINES
    ]
    assert rules[0] == rules[1]
    assert 10 == len(rules[0])
    assert "collectors_dir:" not in [
        line.split()[0] for line in (config_root() / "dbwatch.yml").read_text().splitlines() if line
    ]
    config = yaml.safe_load(demo_config(tmp_path, 1, 2).read_text())
    assert str(config_root() / "collectors") == config["collectors_dir"]
