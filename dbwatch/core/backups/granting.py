"""The roles that the statements of grants and of policies name. Pure."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from dbwatch.core.backups import globals as texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WORD = re.compile(r"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|[^\s\"',;()]+|[(),;]")
GRANTS = frozenset({"GRANT", "REVOKE"})
BEFORE_A_ROLE = frozenset({"TO", "FROM"})
AFTER_THE_ROLES = frozenset({"USING", "WITH", ";"})
EVERYBODY = "PUBLIC"  # without quotes it is no role


def roles(text: str) -> set[str]:
    """As the catalogue has them, of a script that holds nothing else than such statements."""
    named = {name for statement in texts.statements(text) for name in _named(WORD.findall(statement))}
    return {texts.plain(name) for name in named - {EVERYBODY}}


def _named(words: Sequence[str]) -> Iterator[str]:
    if words[0] in GRANTS:
        # The last one: names of columns and tables come before it, and those that are words of SQL are in quotes.
        place = max(number for number, word in enumerate(words) if word in BEFORE_A_ROLE)
        yield words[place + 1]
    elif words[:2] == ["CREATE", "POLICY"]:
        head = list(takewhile(lambda word: word not in AFTER_THE_ROLES, words))
        given = head.index("TO") + 1 if "TO" in head else len(head)
        yield from (word for word in head[given:] if word != ",")
    elif words[:3] == ["SET", "SESSION", "AUTHORIZATION"]:
        yield words[3]
