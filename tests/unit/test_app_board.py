"""What letters are told of the instances they are about."""

from __future__ import annotations

from typing import Any

from dbwatch.app import board
from dbwatch.core.model import Identity
from dbwatch.errors import Reason
from dbwatch.store import InstanceState
from tests.alerting_words import alert, letter


def test_only_what_is_in_the_letter_and_down_is_told_with_its_address_and_reason() -> None:
    down: dict[str, Any] = {"up": False, "address": "db7:5432", "reason": Reason.REFUSED}
    states = [
        InstanceState(Identity("pg-etatcivil", "postgres"), **down),
        InstanceState(Identity("other", "postgres"), **down),
        InstanceState(Identity("well", "postgres"), up=True, address="db8:5432"),
    ]

    told = board.unreachable(letter(alert(), alert(db_instance="well")), states)

    assert (("unreachable pg-etatcivil", "db7:5432, refused"),) == told
