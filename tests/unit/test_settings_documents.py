"""YAML as people really write it at 3 a.m."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbwatch.settings.documents import MAX_BYTES, parse, parse_file
from dbwatch.settings.tree import Place, plain

if TYPE_CHECKING:
    from pathlib import Path

HERE = Place("f.yml", 1)


def faults_of(text: str | bytes) -> list[str]:
    _, faults = parse(text if isinstance(text, bytes) else text.encode(), HERE)
    return [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("a:\n\tb: 1", "f.yml:2:1", "a tab stands where only spaces may"),
        ("a: b: c", "f.yml:1:5", "a ':' stands where none may"),
        ("a:\n  b: 1\n c: 2", "f.yml:3:2", "this line is not aligned with those above"),
        ("a: 'x\nb: 2\n", "f.yml:1:4", "a quote is opened here and never closed"),
        ("a: [1, 2\nb: 3", "f.yml:1:4", "a [ or { is opened here and never closed"),
        ("a: @x", "f.yml:1:4", "a value cannot begin with this character"),
        ('a: "\\d"', "f.yml:1:6", 'a backslash inside "double quotes"'),
        ("a: >\nb", "f.yml:2:2", "a line without 'key: value'"),
        ("a: \x07", "f.yml:1:4", "a control character"),
        (b"a: 1\nb: caf\xe9", "f.yml:2", "is not UTF-8 text"),
        ("a: 1\n---\nb: 2", "f.yml:3", "a second document begins ('---')"),
        ("a: 1\nb: 2\na: 3", "f.yml:3: a", "stands twice, first in line 1"),
        ("a: {b: 1, b: 2}", "f.yml:1: a.b", "stands twice, first in line 1"),
        ("a: !!python/object/apply:os.system [id]", "f.yml:1: a", "a word that begins with '!' is a YAML tag"),
        ("a: *b", "f.yml:1: a", "a value that begins with '*' is an alias"),
        ("a: &b [*b]", "f.yml:1: a.0", "a value that begins with '*' is an alias"),
        ("a: {{ vault }}", "f.yml:1: a", "a key must be a plain word"),
        ("a: !!int ''", "f.yml:1: a", "is neither a number nor text"),
        ("<<: 3", "f.yml:1: <<", "'<<' takes a section"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text: str | bytes, where: str, what: str) -> None:
    (fault,) = faults_of(text)
    assert fault.startswith(f"{where}: {what}"), fault
    assert "\n" not in fault


def test_keys_are_text_and_values_are_yaml() -> None:
    tree, faults = parse(b"on: off\n2024: 2024-01-31\nx: [1, 1.5, ~, '1']\n", HERE)
    assert tree is not None
    assert ([], {"on": False, "2024": "2024-01-31", "x": [1, 1.5, None, "1"]}) == (faults, plain(tree))


def test_merge_keys_and_aliases_work_and_keep_their_lines() -> None:
    tree, _ = parse(b"a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}\nc: {<<: [{x: 9}, *a]}\nd: *a\n", HERE)
    assert tree is not None
    one = {"x": 1, "y": 1}
    assert {"a": one, "b": {"x": 1, "y": 2}, "c": {"x": 9, "y": 1}, "d": one} == plain(tree)
    assert [1, 2] == [tree.items["b"].items[key].place.line for key in ("x", "y")]


def test_a_bom_and_an_empty_file_are_nothing_wrong() -> None:
    assert (None, []) == parse(b"", HERE)
    tree, faults = parse("\ufeffa: 1\r\n".encode(), HERE)
    assert tree is not None
    assert ({"a": 1}, []) == (plain(tree), faults)


def test_aliases_that_multiply_are_refused_before_they_cost_anything() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 20))
    (fault,) = faults_of("l0: &l0 [x]\n" + levels)
    assert "holds too much" in fault


def test_aliases_that_pile_up_are_refused() -> None:
    levels = "".join(f"l{n}: &l{n} [*l{n - 1}]\n" for n in range(1, 2000))
    (fault,) = faults_of("l0: &l0 [x]\n" + levels)
    assert "holds too much" in fault


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "&a [", "!!seq ["])
def test_deep_nesting_is_refused_and_crashes_nothing(opening: str) -> None:
    assert 1 <= len(faults_of(opening * 100_000))


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.yml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert "is larger than 4 MiB" in str(parse_file(path)[1][0])
