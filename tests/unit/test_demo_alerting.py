from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.app.world import Flags, build
from dbwatch.demo.command import THRESHOLDS
from dbwatch.demo.witness import Witness
from dbwatch.demo.workload import BLOCKED_SECONDS
from tests.demo_configuration import demo_config

if TYPE_CHECKING:
    from pathlib import Path


def test_the_demonstration_mails_to_its_own_catcher_and_in_a_hurry(tmp_path: Path) -> None:
    world = build(demo_config(tmp_path, 10_432, 2525), {}, Flags())
    settings = world.settings

    assert settings.alerting.mails
    assert [("127.0.0.1", 2525)] == [(relay.host, relay.smtp_port) for relay in settings.mail.relays]
    assert ("astreinte@marseille.example",) == settings.mail.to
    assert settings.alerting.group_wait + settings.alerting.evaluation_interval <= 10
    assert THRESHOLDS == dict(settings.thresholds)


def test_the_blockade_lasts_long_enough_to_be_told(tmp_path: Path) -> None:
    settings = build(demo_config(tmp_path, 1, 2), {}, Flags()).settings

    assert all(limit < BLOCKED_SECONDS / 2 for name, limit in settings.thresholds.items() if name.endswith("_seconds"))


def test_the_witness_tells_which_alerts_resolved_and_which_mails_came() -> None:
    witness = Witness()
    first = {"fingerprint": "a", "name": "SessionsBlocked", "instance": "marseille-postgres"}
    second = {"fingerprint": "b", "name": "RuleFailing", "instance": ""}
    witness.note_alerts([first, second])
    witness.note_alerts([second])
    witness.mails = ["CRITIQUE", "RÉSOLU"]

    assert [
        "2 alerts fired, 2 mails sent",
        "    RuleFailing: still firing",
        "    SessionsBlocked marseille-postgres: fired and resolved",
        "    CRITIQUE",
        "    RÉSOLU",
    ] == list(witness.lines())[1:]
