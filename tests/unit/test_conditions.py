from __future__ import annotations

from typing import Any

import pytest

from dbwatch.core import conditions
from dbwatch.core.model import Facts, Role, Variant


def facts(flavour: str = "postgres", version: tuple[int, ...] = (17, 2), **more: Any) -> Facts:
    return Facts(flavour, version, ".".join(map(str, version)), Role.PRIMARY, **more)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", True),
        ("postgres", True),
        ("postgres >= 17", True),
        ("postgres = 17", True),
        ("postgres < 17", False),
        ("postgres >= 17.3", False),
        ("not postgres < 17", True),
        ("mysql", False),
        ("postgres >= 13 and postgres < 18", True),
        ("postgres >= 13 and not postgres < 18", False),
        ("extension pg_stat_statements >= 1.11", False),
        ("probe pg_monitor", False),
        ("setting performance_schema = ON", False),
        ("column pg_stat_activity.query_id", False),
    ],
)
def test_a_condition_compares_with_the_facts(condition: str, *, expected: bool) -> None:
    assert expected == all(term.holds(facts()) for term in conditions.parse(condition))


def test_facts_beside_the_version_are_known_too() -> None:
    known = facts(
        extensions={"pg_stat_statements": (1, 11)},
        probes={"pg_monitor": True},
        settings={"performance_schema": "on", "column pg_stat_activity.query_id": ""},
        edition="Azure",
    )
    condition = (
        "extension pg_stat_statements >= 1.11 and probe pg_monitor and setting performance_schema = ON"
        " and column pg_stat_activity.query_id and edition = azure"
    )

    assert all(term.holds(known) for term in conditions.parse(condition))


def test_percona_is_a_mysql_and_mariadb_is_not() -> None:
    (mysql,) = conditions.parse("mysql >= 8.0.22")

    assert mysql.holds(facts("percona", (8, 0, 36)))
    assert mysql.holds(facts("mysql", (9, 7, 4)))
    assert not mysql.holds(facts("mariadb", (10, 11, 6)))


@pytest.mark.parametrize(
    "condition",
    [
        "postgres >=",
        "oracle",
        "postgres >= seventeen",
        "extension >= 1.2",
        "edition",
        "postgres 17",
        "probe",
        "setting x",
    ],
)
def test_what_is_not_of_the_grammar_is_refused(condition: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        conditions.parse(condition)


def test_the_first_variant_that_holds_is_chosen() -> None:
    variants = (Variant("postgres >= 17", "new"), Variant("postgres", "old"))

    assert conditions.choose(variants, facts(version=(18,))) == "new"
    assert conditions.choose(variants, facts(version=(16, 1))) == "old"
    assert conditions.choose(variants, facts("mariadb", (11, 8))) is None


def test_columns_that_conditions_name_are_found() -> None:
    assert conditions.columns_named(["column a.b and postgres", "not column c.d", ""]) == {"a.b", "c.d"}


def test_public_is_the_schema_that_the_extension_is_in() -> None:
    known = facts(
        extensions={"pg_stat_statements": (1, 11)},
        settings={"schema pg_stat_statements": '"My \\1"', "schema other": "x"},
    )
    variants = [Variant("extension pg_stat_statements", "SELECT * FROM public.pg_stat_statements(false), republic.x")]

    assert 'SELECT * FROM "My \\1".pg_stat_statements(false), republic.x' == conditions.choose(variants, known)
    assert "public.f()" == conditions.choose([Variant("postgres", "public.f()")], known)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("18.6", "180006"), ("15.14", "150014"), ("19", "190000")),
        *(("10.11.6-MariaDB-0+deb12u1", "101106"), ("8.0.36-28", "80036"), ("9.7.0", "90700"), ("10.11.6.1", "101106")),
        ("", ""),
    ],
)
def test_a_version_in_one_number_is_that_of_the_server(text: str, number: str) -> None:
    assert number == conditions.version_number(conditions.parse_version(text))
