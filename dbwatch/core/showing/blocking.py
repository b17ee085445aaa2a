"""Who blocks whom, as trees under the root blockers. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

DIGITS = re.compile(r"-?\d+")


@dataclass(frozen=True, slots=True)
class Node:
    """One session at its place in a tree; `repeats` where it stands elsewhere already or closes a circle."""

    pid: int
    depth: int
    repeats: bool = False


def pids(value: object) -> tuple[int, ...]:
    """The numbers of a `blocked_by` cell: NULL, one number, or several in a text."""
    return tuple(map(int, DIGITS.findall("" if value is None else str(value))))


def trees(blocked_by: Mapping[int, Sequence[int]]) -> list[Node]:
    """Every session, each root blocker followed by those that wait behind it.

    A circle (a deadlock that the server has not resolved yet) has no root: it begins at its lowest pid.
    """
    waiters: dict[int, list[int]] = {}
    for pid, blockers in blocked_by.items():
        for blocker in blockers:
            waiters.setdefault(blocker, []).append(pid)
    everyone = dict.fromkeys([*waiters, *blocked_by])
    seen: set[int] = set()
    nodes: list[Node] = []
    for root in (pid for pid in everyone if not blocked_by.get(pid)):
        nodes += _below(root, waiters, seen)
    for pid in sorted(everyone):
        if pid not in seen:
            nodes += _below(pid, waiters, seen)
    return nodes


def _below(root: int, waiters: Mapping[int, Sequence[int]], seen: set[int]) -> Iterator[Node]:
    stack = [(root, 0)]
    while stack:
        pid, depth = stack.pop()
        repeats = pid in seen
        yield Node(pid, depth, repeats)
        if not repeats:
            seen.add(pid)
            stack += [(waiter, depth + 1) for waiter in reversed(waiters.get(pid, ()))]


def drawn(nodes: Iterable[Node]) -> list[str]:
    """Each node's pid with its place: `812`, `└─ 815`, `   └─ 820`."""
    return [f"{'   ' * (node.depth - 1)}└─ {node.pid}" if node.depth else str(node.pid) for node in nodes]
