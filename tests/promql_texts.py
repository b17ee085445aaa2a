"""Random expressions of the subset and random series for them, as text that every evaluator reads."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

STEPS = 21  # every 15 s until 5 minutes
EXPRESSIONS = 40
LABELS = ("x", "y", "z")
GAUGES, COUNTERS = ("a", "b"), ("c", "d")
KEYS = [dict(zip(LABELS, values, strict=True)) for values in product(("1", "2", "3"), ("p", "q"), ("", "r"))]
MATCHERS = (
    *("", "", '{x="1"}', '{x!="1"}', '{y=~"p|q"}', '{y!~"p.*"}'),
    *('{z=""}', '{z!=""}', '{x=~"[12]",y="p"}', '{x=~".+"}'),
)
NUMBERS = ("0", "1", "2", "0.5", "-1", "3", "100", "time()")
GAUGE_VALUES = ("0", "1", "2", "3", "-1.5", "0.25", "7", "_", "_", "stale", "Inf", "NaN")
ARITHMETIC = ("+", "-", "*", "/", "%")
COMPARISONS = ("==", "!=", ">", "<", ">=", "<=", "== bool", "!= bool", "> bool", "<= bool")
RANGES = ("20s", "45s", "1m", "100s", "3m", "5m")
DEEPEST = 3


@dataclass(frozen=True)
class Example:
    """Series, and the expressions that are asked of them at the end."""

    series: tuple[tuple[str, str], ...]  # (selector, values in promtool's notation)
    expressions: tuple[str, ...]


def example(random: Random) -> Example:
    return Example(tuple(series(random)), tuple({vector(random, 0) for _ in range(EXPRESSIONS)}))


def series(random: Random) -> list[tuple[str, str]]:
    found = []
    for name in (*GAUGES, *COUNTERS):
        for labels in random.sample(KEYS, random.randint(1, 6)):
            text = ",".join(f'{label}="{value}"' for label, value in labels.items() if value)
            values = gauge(random) if name in GAUGES else counter(random)
            found.append((f"{name}{{{text}}}", " ".join(values)))
    return found


def gauge(random: Random) -> list[str]:
    """Always something at the end, so that there is something to compute."""
    return [*random.choices(GAUGE_VALUES, k=STEPS - 1), random.choice(GAUGE_VALUES[:-4])]


def counter(random: Random) -> list[str]:
    """Growing, with resets and gaps; near zero only where it has no gap.

    Before Prometheus 3 a window that begins late with a small value was extrapolated otherwise.
    """
    is_young = random.random() < 1 / 3
    value, points = (0 if is_young else 1_000_000), ["_"] * random.randint(0, 8) * (not is_young)
    gap, reset = (0.0, 0.0) if is_young else (random.choice([0.0, 0.2, 0.6]), 0.05)
    while len(points) < STEPS:
        value = 1_000_000 if random.random() < reset else value + random.randint(0, 4)
        points.append("_" if random.random() < gap else str(value))
    return points[: random.choice([STEPS, STEPS, STEPS - 4])]


def vector(random: Random, depth: int) -> str:
    if depth >= DEEPEST or random.random() < depth * 0.25:
        return leaf(random)
    kind = random.choice(["leaf", "aggregate", "number", "joined", "joined", "joined", "set", "negation"])
    match kind:
        case "leaf":
            return leaf(random)
        case "aggregate":
            return aggregate(random, depth)
        case "number":
            return with_number(random, depth)
        case "negation":
            return f"-({vector(random, depth + 1)})"
    return between(random, depth, is_set=kind == "set")


def leaf(random: Random) -> str:
    matchers, length = random.choice(MATCHERS), random.choice(RANGES)
    if random.random() < 1 / 3:
        return f"increase({random.choice(COUNTERS)}{matchers}[{length}])"
    if random.random() < 1 / 5:
        return f"changes({random.choice(GAUGES + COUNTERS)}{matchers}[{length}])"
    return f"{random.choice(GAUGES)}{matchers}"


def aggregate(random: Random, depth: int) -> str:
    operator, grouping = random.choice(["sum", "min", "max", "count"]), random.choice(["by", "without"])
    return f"{operator} {grouping} ({some(random, LABELS)}) ({vector(random, depth + 1)})"


def with_number(random: Random, depth: int) -> str:
    inner, number = f"({vector(random, depth + 1)})", random.choice(NUMBERS)
    operator = random.choice([*ARITHMETIC, *COMPARISONS, "^"])
    if operator == "^":
        return f"({inner} ^ 2)"
    return f"({inner} {operator} {number})" if random.random() < 2 / 3 else f"({number} {operator} {inner})"


def between(random: Random, depth: int, *, is_set: bool) -> str:
    """Two vectors, joined in a way that sometimes cannot be."""
    left, right = vector(random, depth + 1), vector(random, depth + 1)
    operator = random.choice(["and", "or", "unless"]) if is_set else random.choice([*ARITHMETIC, *COMPARISONS])
    kind = random.choice(["", "on", "on", "ignoring"])
    labels = random.sample(LABELS, random.choice([0, 1, 2, 3, 3, 3]))
    matching = f"{kind} ({','.join(labels)})" if kind else ""
    group = "" if is_set or not kind else random.choice(["", "group_left", "group_right"])
    if group:
        free = [label for label in LABELS if kind != "on" or label not in labels]
        group = f"{group} ({some(random, free)})"
        coarse = f"max by ({','.join(labels) if kind == 'on' else some(random, LABELS)}) ({right})"
        left, right = (coarse, left) if group.startswith("group_right") else (left, coarse)
    return f"({left} {operator} {matching} {group} {right})"


def some(random: Random, labels: list[str] | tuple[str, ...]) -> str:
    return ",".join(random.sample(list(labels), random.randint(0, len(labels))))
