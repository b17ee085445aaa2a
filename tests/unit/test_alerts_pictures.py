"""The picture of the second in which an alert fired."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.alerts import pictures
from dbwatch.alerts.pictures import Photographer
from dbwatch.errors import EngineError, Reason
from tests.fakes import rows
from tests.fix_alerts import an_alert

if TYPE_CHECKING:
    from dbwatch.core.model import Rows

COLUMNS = ("pid", "user", "application", "database", "state", "transaction_seconds", "wait_seconds", "blocked_by")
LOCKS = rows(*COLUMNS, of=[(7, "guichet", "guichet", "rdv", "active", 40.0, 30.0, "6")])
NOW = 1_795_320_000.0
CITES = {"picture": "locks"}


async def locks(_instance: str, _question: str) -> Rows:
    return LOCKS


async def refused(_instance: str, _question: str) -> Rows:
    raise EngineError(Reason.REFUSED, "nothing listens there")


async def hanging(_instance: str, _question: str) -> Rows:
    await asyncio.sleep(3600)
    return LOCKS


def test_alerts_of_one_instance_share_a_picture_that_only_the_group_may_read(tmp_path: Path) -> None:
    blocked = [an_alert(name, "rdv", NOW, texts=CITES) for name in ("SessionsBlocked", "BlockedTooLong")]
    taken = asyncio.run(Photographer(locks, tmp_path / "pictures").taken(blocked, NOW))
    paths = {Path(alert.picture) for alert in taken}
    (path,) = paths

    assert len(taken) == 2
    assert path.name == "20261122T040000Z-rdv-locks.txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750
    assert "guichet" in path.read_text()


def test_an_alert_that_asks_for_none_or_has_no_instance_gets_none(tmp_path: Path) -> None:
    others = [an_alert("InstanceDown", "rdv", NOW), an_alert("Odd", "", NOW, texts=CITES)]
    others.append(an_alert("Strange", "rdv", NOW, texts={"picture": "../../etc/passwd"}))

    assert asyncio.run(Photographer(locks, tmp_path / "pictures").taken(others, NOW)) == []
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_refuses_or_hangs_or_a_full_disk_costs_the_picture_and_not_the_letter(tmp_path: Path) -> None:
    alert = an_alert("SessionsBlocked", "rdv", NOW, texts=CITES)
    occupied = tmp_path / "file"
    occupied.touch()
    places = ((refused, tmp_path), (hanging, tmp_path), (locks, occupied))

    for look, directory in places:
        assert asyncio.run(Photographer(look, directory, 0.01).taken([alert], NOW)) == []


def test_the_oldest_pictures_go(tmp_path: Path) -> None:
    for number in range(pictures.KEPT + 3):
        (tmp_path / f"2020{number:04}-old-locks.txt").touch()
    alert = an_alert("SessionsBlocked", "rdv", NOW, texts=CITES)
    (taken,) = asyncio.run(Photographer(locks, tmp_path).taken([alert], NOW))
    kept = sorted(path.name for path in tmp_path.iterdir())

    assert len(kept) == pictures.KEPT
    assert Path(taken.picture).name in kept
    assert "20200000-old-locks.txt" not in kept
