"""Sets of transaction identifiers as text: how many are in one and not in another, how many holes one has. Pure."""

from __future__ import annotations

from itertools import pairwise

Interval = tuple[int, int]
Intervals = dict[str, list[Interval]]  # by source, or by source and tag


def difference(received: str, applied: str) -> int:
    """How many transactions of the first set of MySQL are not in the second one."""
    done = _intervals(applied)
    return sum(_size(mine) - _common(mine, done.get(source, [])) for source, mine in _intervals(received).items())


def gaps(executed: str) -> int:
    """How many holes the set of MySQL has, whatever their size."""
    return sum(len(each) - 1 for each in _intervals(executed).values())


def behind(received: str, applied: str) -> int | None:
    """How many transactions lie between two positions of MariaDB, over all domains; None where that is not known."""
    done = _positions(applied)
    wanted = _positions(received)
    if not wanted or not wanted.keys() <= done.keys():
        return None
    return sum(max(0, sequence - done[domain]) for domain, sequence in wanted.items())


def _intervals(text: str) -> Intervals:
    """`uuid:1-3:7,uuid:tag:1-2`: what begins with a digit is an interval, other parts a tag for those that follow."""
    found: Intervals = {}
    for piece in text.replace("\n", "").split(","):
        source, *parts = piece.strip().split(":")
        key = source
        for part in parts:
            if part[0].isdigit():
                first, _, last = part.partition("-")
                found.setdefault(key, []).append((int(first), int(last or first)))
            else:
                key = f"{source}:{part}"
    return {source: _merged(each) for source, each in found.items()}


def _merged(intervals: list[Interval]) -> list[Interval]:
    """In order, and those that touch as one."""
    ordered = sorted(intervals)
    starts = [ordered[0], *(right for left, right in pairwise(ordered) if right[0] > left[1] + 1)]
    ends = [*(left for left, right in pairwise(ordered) if right[0] > left[1] + 1), ordered[-1]]
    return [(start[0], end[1]) for start, end in zip(starts, ends, strict=True)]


def _size(intervals: list[Interval]) -> int:
    return sum(last - first + 1 for first, last in intervals)


def _common(one: list[Interval], other: list[Interval]) -> int:
    """How many numbers are in both; each list is walked once."""
    total = at = to = 0
    while at < len(one) and to < len(other):
        total += max(0, min(one[at][1], other[to][1]) - max(one[at][0], other[to][0]) + 1)
        if one[at][1] < other[to][1]:
            at += 1
        else:
            to += 1
    return total


def _positions(text: str) -> dict[str, int]:
    """`0-1-100,1-2-50`: domain, server, sequence."""
    found = {}
    for piece in text.split(","):
        domain, _, rest = piece.strip().partition("-")
        if rest:
            found[domain] = int(rest.rpartition("-")[2])
    return found
