"""Who is backed up, and what is told of who is not, or not any more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from dbwatch import history, library
from dbwatch.clock import SystemClock
from dbwatch.errors import UsageError
from dbwatch.jobs.roster import Roster
from dbwatch.settings.models import Settings
from tests.archive_sets import record

if TYPE_CHECKING:
    from pathlib import Path


async def test_who_is_not_in_the_settings_any_more_is_told_what_becomes_of_its_backups(tmp_path: Path) -> None:
    settings = Settings.model_validate({"backups": {"directory": str(tmp_path / "sets")}})
    async with history.opened(tmp_path) as past:
        await past.jobs.sets.put(record(1, instance="gone"))
        roster = Roster(settings, library.load([]), past.jobs, SystemClock())

        kept = "gone is not in the settings any more: its backups are kept as they are, nothing proves or deletes them"
        mend = f"give it back its section, or remove {tmp_path}/sets/gone by hand"
        with pytest.raises(UsageError, match=f"^{re.escape(kept)} -> `dbwatch restore list gone` shows them; {mend}$"):
            roster.subject("gone")
        with pytest.raises(UsageError, match=r"^no instance 'lsit' is backed up: known are none$"):
            roster.subject("lsit")
