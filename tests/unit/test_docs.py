"""What the documents say of metrics is true: every name that they mention exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dbwatch import library
from dbwatch.files import config_root
from dbwatch.http.own_metrics import every_name

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"(?<![\w/.:])dbwatch_[a-z0-9_]+(?<!_)(?![\w*{]|\.\w)")
SUFFIX = re.compile(r"_(bucket|sum|count)$")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("config/*.yml"), *ROOT.glob("docs/**/*.md")])
NOT_METRICS = {
    "dbwatch_audit",
    "dbwatch_backup",
    "dbwatch_things",
    "dbwatch_shop_orders_waiting",
}  # accounts and examples of the documents


def known() -> set[str]:
    example = config_root() / "collectors"
    own = every_name()
    return set(library.load([example]).families) | own | {SUFFIX.sub("", name) for name in own}


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the documents are not part of the wheel")
def test_every_metric_that_the_documents_name_exists() -> None:
    names = known()
    strange = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in DOCUMENTS
        for name in NAME.findall(path.read_text())
        if name not in names and SUFFIX.sub("", name) not in names and name not in NOT_METRICS
    }

    assert strange == set()


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the documents are not part of the wheel")
def test_every_test_that_the_coverage_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "coverage.md").read_text())
    absent = [name for file, name in named if f"def {name}(" not in (ROOT / file).read_text()]

    assert len(named) > 60
    assert absent == []


def test_a_metric_that_does_not_exist_is_seen() -> None:
    assert NAME.findall("see dbwatch_up and dbwatch_invented_total, not dbwatch/cli") == [
        "dbwatch_up",
        "dbwatch_invented_total",
    ]
