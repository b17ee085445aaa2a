"""How durations, days and punctuation are written in French and in English. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

NO_BREAK, NARROW = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"
DAYS = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
           "novembre", "décembre"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
}  # fmt: skip
UNITS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "fr": (("j", 86400), ("h", 3600), ("min", 60), ("s", 1)),
    "en": (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)),
}
BEFORE_COLON, BEFORE_HIGH = re.compile(r"(?<=[^\s:/])[ \u00a0\u202f]?(?=:(?:\s|$))"), re.compile(r"[ \u00a0](?=[;!?])")
GUILLEMETS = re.compile(r"(?<=«)[ \u00a0]|[ \u00a0](?=»)")
CODE = re.compile(r"(`[^`]*`)")
STEP = re.compile(r"(?:^|(?<=\s))\d+\.\s+")


def duration(seconds: float, language: str) -> str:
    """Two units at the most: `4 min 12 s`, `2 j 3 h`."""
    rest = max(0, round(seconds))
    shown: list[str] = []
    for unit, size in UNITS[language]:
        count, rest = divmod(rest, size)
        if count or (shown and unit != UNITS[language][-1][0]) or (unit == "s" and not shown):
            shown.append(f"{count}{NO_BREAK}{unit}" if count or unit == "s" else "")
    return " ".join(part for part in shown[:2] if part)


def day(at: float, language: str, zone: tzinfo | None) -> str:
    """`lundi 22 novembre 2026`, `Monday 22 November 2026`."""
    local = datetime.fromtimestamp(at, zone)
    number = "1er" if language == "fr" and local.day == 1 else str(local.day)
    return f"{DAYS[language][local.weekday()]} {number} {MONTHS[language][local.month - 1]} {local.year}"


def moment(at: float, language: str, zone: tzinfo | None) -> str:
    """`lundi 22 novembre 2026 à 14:13 CET`."""
    local = datetime.fromtimestamp(at, zone).astimezone(zone)
    link = " à " if language == "fr" else ", "
    return f"{day(at, language, zone)}{link}{local:%H:%M} {local:%Z}".rstrip()


def typeset(text: str, language: str) -> str:
    """French punctuation is not left alone at the beginning of a line; what is code stays as it is."""
    if language != "fr":
        return text
    return outside_code(text, _spaced)


def _spaced(text: str) -> str:
    text = BEFORE_COLON.sub(lambda found: NO_BREAK if found[0] else "", text)
    return GUILLEMETS.sub(NO_BREAK, BEFORE_HIGH.sub(NARROW, text))


def outside_code(text: str, work: Callable[[str], str]) -> str:
    return "".join(piece if piece.startswith("`") else work(piece) for piece in CODE.split(text))


def steps(text: str) -> list[str]:
    """`1. Do this. 2. Do that.` as a list; the numbers are given anew."""
    return [" ".join(step.split()) for step in STEP.split(text) if step.strip()]
