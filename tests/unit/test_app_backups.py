"""Backups as the daemon holds them, at both ends of its life."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dbwatch import history
from dbwatch.app.backups import Backing, Lent
from dbwatch.app.world import Flags, build
from dbwatch.clock import SystemClock
from dbwatch.errors import ControlError
from dbwatch.http.own_metrics import OwnMetrics
from dbwatch.store import Store

if TYPE_CHECKING:
    from pathlib import Path

BACKED_UP = "    backups: {logical: {}}\n"


def backing(directory: Path, backups: str = "") -> Backing:
    path = directory / "dbwatch.yml"
    path.write_text(
        "instances:\n  pg1:\n    engine: postgres\n    monitor: {user: u}\n    backup: {user: b}\n" + backups + ""
        "state_directory: state\ncontrol_socket: socket\nbackups: {directory: sets}\n"
    )
    world = build(path, {}, Flags())
    return Backing(world, Lent(Store(world.catalogue.families), OwnMetrics(), SystemClock()))


async def test_a_command_that_comes_before_the_daemon_is_ready_is_told_so(tmp_path: Path) -> None:
    """The control socket answers while the rules are still read."""
    with pytest.raises(ControlError, match="dbwatch is starting: ask again in a moment"):
        await backing(tmp_path).commands()["jobs_list"]({})


async def test_nothing_of_backups_begins_any_more_while_the_daemon_stops(tmp_path: Path) -> None:
    """Whatever asks then: what it began nobody would end, and the daemon would hang."""
    held = backing(tmp_path)
    reloaded = build(tmp_path / "dbwatch.yml", {}, Flags())
    async with history.opened(tmp_path / "state") as past, asyncio.timeout(20), asyncio.TaskGroup() as group:
        await held.open(group, past)
        await held.stop()
        with pytest.raises(ControlError, match="dbwatch is stopping"):
            await held.commands()["jobs_list"]({})
        backing(tmp_path, BACKED_UP)
        reloaded = build(tmp_path / "dbwatch.yml", {}, Flags())
        await held.become(reloaded)
    assert reloaded.settings.backs_up
