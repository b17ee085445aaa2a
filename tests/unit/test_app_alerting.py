"""Alerting as the daemon holds it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dbwatch import history
from dbwatch.app import rulebook
from dbwatch.app.alerting import Alerting, Lent
from dbwatch.app.world import Flags, build
from dbwatch.clock import SystemClock
from dbwatch.errors import EngineError, Reason
from dbwatch.http.own_metrics import OwnMetrics
from dbwatch.store import Store
from dbwatch.tasks import Heartbeats

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.core.model import Rows

MAILING = (
    "state_directory: state\ncontrol_socket: socket\nalerting: {notify: direct}\n"
    "mail: {from: a@b.fr, to: c@d.fr, relays: [{host: localhost}]}\n"
)


async def nobody(_: str, question: str) -> Rows:
    raise EngineError(Reason.MISSING, question)


async def test_the_dead_man_s_switch_hears_nothing_while_letters_do_not_leave(tmp_path: Path) -> None:
    """It is the one way left to tell that nobody is told anything."""
    (tmp_path / "dbwatch.yml").write_text(MAILING)
    world, clock, heartbeats = build(tmp_path, {}, Flags()), SystemClock(), Heartbeats(SystemClock().monotonic)
    async with history.opened(tmp_path / "state") as past:
        lent = Lent(Store(world.catalogue.families), OwnMetrics(), past, clock, heartbeats, nobody)
        alerting = Alerting(world, rulebook.read(world), lent)

        def is_well(waits_seconds: float, error: str = "") -> bool:
            past.outbox.counts = replace(past.outbox.counts, queued=1, oldest_at=clock.time() - waits_seconds)
            alerting.sender.last_error = error
            return alerting._is_well()

        assert [True, True, True] == [is_well(0), is_well(899, "refused"), is_well(5000)]
        assert not is_well(901, "refused")
        heartbeats.beat("rules", -1.0)
        assert not is_well(0)
