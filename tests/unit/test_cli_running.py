"""What `dbwatch reload` says."""

from __future__ import annotations

import pytest

from dbwatch.cli.running import reloaded


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, "reloaded"),
        ({"instances": 1}, "reloaded: 1 instance"),
        ({"instances": 2, "left_out": []}, "reloaded: 2 instances"),
        ({"instances": 2, "left_out": ["A: why"]}, "reloaded: 2 instances; 1 rule left out: A: why"),
        ({"instances": 2, "left_out": ["A: why", "B: so"]}, "reloaded: 2 instances; 2 rules left out: A: why; B: so"),
        (
            {"instances": 2, "left_out": ["A: why"], "restart_needed": ["http", "logging"]},
            "reloaded: 2 instances; 1 rule left out: A: why; changed, and not in use before a restart: http, logging",
        ),
    ],
)
def test_a_reload_tells_what_is_watched_and_which_rules_are_not(answer: object, text: str) -> None:
    assert text == reloaded(answer)
