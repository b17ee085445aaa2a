"""docs/kpi_definition.md: every query parses, and names only what is measured or recorded."""

from __future__ import annotations

import re
from pathlib import Path

import promql_parser
import pytest

from dbwatch import library, rule_library
from dbwatch.core import strict_yaml

PAGE = (Path(__file__).parents[2] / "docs" / "kpi_definition.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^### ", PAGE.partition("## Lecture mensuelle")[0], flags=re.MULTILINE)[1:]
METRIC = re.compile(r"\b([a-z_]*:?dbwatch_[a-z0-9_]+(?::[a-z0-9_]+)?)")
FACTS = ("- Définition : ", "- Unité : ", "- Objectif : ", "- Limites : ")


def query(section: str) -> str:
    return section.partition("```promql\n")[2].partition("```")[0]


def recorded() -> set[str]:
    documents = [
        strict_yaml.load(text) for path, text in rule_library.shipped_texts() if path.startswith("prometheus/")
    ]
    groups = [group for document in documents if isinstance(document, dict) for group in document["groups"]]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.split()[0])
def test_each_indicator_says_what_it_is_and_what_it_does_not_say(section: str) -> None:
    assert [] == [fact for fact in FACTS if f"\n{fact}" not in section]
    assert 1 == section.count("```promql")


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.split()[0])
def test_each_query_parses_and_names_only_what_exists(section: str) -> None:
    promql_parser.parse(query(section))
    families = library.load().families
    known = {*families, *(f"{name}_bucket" for name in families), *recorded()}
    named = set(METRIC.findall(query(section)))
    assert named
    assert set() == named - known


def test_every_threshold_that_it_cites_exists() -> None:
    cited = set(re.findall(r"seuil `([a-z_]+)`", PAGE))
    assert cited
    assert set() == cited - library.thresholds().keys()
