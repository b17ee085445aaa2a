"""Samples, from the text that the daemon serves or from a poll of our own. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dbwatch.core.model import Block

LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+\S+)?")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(r"\\(.)")
UNESCAPED = {"n": "\n"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value under its name."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def from_text(text: str) -> Iterator[Sample]:
    """Read the text format 0.0.4. Raise ValueError on what is not of it."""
    for line in text.split("\n"):  # the only end of a line: a name may hold what Python takes for others
        if line and not line.startswith("#"):
            match = LINE.fullmatch(line)
            if match is None:
                raise ValueError("not a metrics page")
            yield Sample(match["name"], float(match["value"]), _labels(match["labels"] or ""))


def _labels(text: str) -> dict[str, str]:
    return {
        name: ESCAPE.sub(lambda match: UNESCAPED.get(match[1], match[1]), value) for name, value in LABEL.findall(text)
    }


def from_blocks(blocks: Iterable[Block]) -> Iterator[Sample]:
    for block in blocks:
        for labels, value in block.samples():
            yield Sample(block.family + block.suffix, value, labels)
