"""What a person asks of `restore`: light, because the help of every command imports it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Wish:
    """`words`: nothing, a database, or a database and a table of it."""

    instance: str
    words: tuple[str, ...] = ()
    into: str = ""
    backup: str = ""
    to: str = ""
    scratch: Path | None = None
    unproven: bool = False
    onto_source: bool = False
    into_non_empty: bool = False
    is_sure: bool = False
    only_plan: bool = False
