"""Who takes no backups does not pay for what only they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch import library
from dbwatch.settings.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.core.catalogue import Catalogue

INSTANCE = "instances: {{pg: {{engine: postgres, monitor: {{user: dbwatch}}, backup: {{user: b}}{section}}}}}\n"


def asked_by_backups(catalogue: Catalogue) -> set[str]:
    return {name for _, name in catalogue.questions if name.startswith(library.OF_BACKUPS)}


@pytest.mark.parametrize(
    ("section", "is_read"),
    [("", False), (", backups: {logical: {enabled: false}}", False), (", backups: {logical: {}}", True)],
)
def test_questions_of_backups_are_read_where_an_instance_asks_for_backups(
    tmp_path: Path, section: str, *, is_read: bool
) -> None:
    file = tmp_path / "dbwatch.yml"
    file.write_text(INSTANCE.format(section=section))
    catalogue = library.load_for(load(file, {}))

    assert is_read is bool(asked_by_backups(catalogue))
    assert ("postgres", "facts") in catalogue.questions


def test_a_restore_has_them_without_any_section(tmp_path: Path) -> None:
    file = tmp_path / "dbwatch.yml"
    file.write_text(INSTANCE.format(section=""))

    assert asked_by_backups(library.load()) == asked_by_backups(library.load_for(load(file, {}), backups=True))
