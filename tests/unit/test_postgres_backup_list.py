"""How the list of an archive is read: not for ever, and nothing stays open."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbwatch.core.backups.model import JobReason
from dbwatch.engines import postgres_backup_archive as archive
from dbwatch.engines.backing import Command
from dbwatch.errors import JobError

SLEEP, NOBODY = Command(("/bin/sleep", "60")), Command(("/nonexistent/pg_restore",))


def open_files() -> list[str]:
    return sorted(each.name for each in Path("/proc/self/fd").iterdir())


async def test_a_list_that_does_not_come_is_told_and_its_programs_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LIST_SECONDS", 0.2)
    monkeypatch.setattr(archive, "ALONE_SECONDS", 0.1)
    with pytest.raises(JobError) as caught:
        await archive._output((SLEEP, SLEEP), None)

    assert caught.value.reason is JobReason.STALLED
    assert "within 0.2 s" in caught.value.message


async def test_a_program_that_is_gone_leaves_no_file_open(tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(b"")
    await archive._output((Command(("/bin/cat",)), Command(("/bin/cat",))), tmp_path / "dump")
    before = open_files()
    for pipeline in ((NOBODY, SLEEP), (Command(("/bin/true",)), NOBODY)):
        with pytest.raises(FileNotFoundError):
            await archive._output(pipeline, tmp_path / "dump")

    assert before == open_files()
