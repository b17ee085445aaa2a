"""Rows of a set: 0 where a database is known to have no table, and not known where nobody looked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dbwatch import history
from dbwatch.core.backups.gathering import kind_figures, set_line
from dbwatch.core.backups.model import BackupKind, BackupRecord, DatabaseFacts, FactsMode
from dbwatch.jobs import metrics
from tests.backup_boards import DAY, record

if TYPE_CHECKING:
    from pathlib import Path


def with_empty(made: BackupRecord, mode: FactsMode = FactsMode.FULL, digest: str = "empty") -> BackupRecord:
    """The same with a database that has no table, as most servers have one."""
    facts = made.manifest.facts
    databases = (*facts.databases, DatabaseFacts("test", inventory_digest=digest))
    return replace(made, manifest=replace(made.manifest, facts=replace(facts, mode=mode, databases=databases)))


async def test_a_database_without_tables_does_not_hide_the_rows_of_the_others_from_the_daemon(tmp_path: Path) -> None:
    async with history.opened(tmp_path) as past:
        for at, rows in enumerate([1000, 1000, 250], 1):
            await past.jobs.sets.put(with_empty(record(at, at * DAY, rows=rows)))
    async with history.opened(tmp_path) as past:  # as the daemon has them: without the facts of each table
        lines = [set_line(each) for each in past.jobs.sets.records("pg1")]

    found = kind_figures(BackupKind.LOGICAL, ["marseille", "test"], lines)
    assert [2000, 2000, 500] == [each.rows for each in lines]
    (ratio,) = [each for each in metrics.blocks([found], ()) if each.family == "dbwatch_backup_rows_ratio_to_median"]
    assert [0.25] == [value for _, value in ratio.samples()]
    assert [500, 0] == [each.rows for each in found.databases]


@pytest.mark.parametrize(("mode", "digest"), [(FactsMode.OFF, "empty"), (FactsMode.FULL, "")])
def test_rows_that_nobody_looked_for_are_not_known(mode: FactsMode, digest: str) -> None:
    assert None is set_line(with_empty(record(1, DAY), mode, digest)).rows
