"""YAML that no reader of ours may stumble over: whatever is wrong with it is a YAMLError."""

from __future__ import annotations

import pytest
import yaml

from dbwatch.core import strict_yaml


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "{a: " * 3000,
        "[" * 1_000_000,
        "- " * 100_000,
        "x: 2020-99-99",
        "? [a]\n: 1",
        f"x: {'9' * 5000}",
        "a: 1\na: 2",
        "x: !!python/none y",
    ],
)
def test_whatever_is_wrong_is_told_as_a_fault_of_yaml(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as raised:
        strict_yaml.load(text)

    assert len(strict_yaml.problem(raised.value)) < 200
