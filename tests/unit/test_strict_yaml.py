"""YAML that no reader of ours may stumble over: whatever is wrong with it is a YAMLError."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

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


def depth(text: str) -> int:
    """As libyaml tells it."""
    deepest = now = 0
    for event in yaml.parse(text):
        now += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, now)
    return deepest


NESTED = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=40,
)


@given(document=NESTED, flow=st.sampled_from([None, True, False]), indent=st.integers(1, 4))
def test_the_cheap_bound_is_never_below_the_depth(document: object, *, flow: bool | None, indent: int) -> None:
    text = yaml.safe_dump(document, default_flow_style=flow, indent=indent)

    assert depth(text) <= strict_yaml.deepest_possible(text)


@pytest.mark.parametrize(
    "text",
    [
        "- - - a: - 1",
        "- - - a:\n      - - x",
        "? - ? a\n  : - b\n: - c",
        "a:\n- b:\n  - c:\n    - d",
        "- a:\n  - b",
        "-\n -\n  -\n   - x",
    ],
)
def test_the_cheap_bound_holds_for_what_people_write(text: str) -> None:
    try:
        found = depth(text)
    except yaml.YAMLError:
        found = 0

    assert found <= strict_yaml.deepest_possible(text)
