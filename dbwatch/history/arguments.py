"""What commands are given: JSON of anybody who may open the socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_SECONDS = 366 * 86400.0
LONGEST_TEXT = 500


def duration(arguments: Mapping[str, object], what: str = "this") -> float | None:
    """`seconds`, where they are given. Raise UsageError where they are none."""
    value = arguments.get("seconds")
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= LONGEST_SECONDS:
        raise UsageError(f"{what} lasts a positive number of seconds, a year at the most")
    return float(value)


def text(arguments: Mapping[str, object], name: str) -> str:
    """A short text, or nothing. Raise UsageError for anything else."""
    value = arguments.get(name) or ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise UsageError(f"{name} is a text of at most {LONGEST_TEXT} characters")
    return value
