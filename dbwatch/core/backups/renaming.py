"""A copy of a database under another name: what the server wrote of its views and defaults is to name the copy.

A server prints names with their database where a view works on several: a copy's view would read and write the
original. Only what servers print is said anew, for its form is known; what people wrote (bodies) is left as it is.
"""

from __future__ import annotations

import re

VIEW = b"/*!50001 VIEW "
SEQUENCE_ASKED = b"val("  # nextval, lastval and setval
COLUMN_ALIAS = (b" AS ", VIEW)
WORDS = re.compile(
    rb"'(?:[^'\\]|\\.|'')*'"  # a text, in which nothing is a name
    rb"|(?P<chain>(?P<first>`(?:[^`]|``)+`)(?P<rest>(?:\.`(?:[^`]|``)+`)*))",
    re.DOTALL,
)


def renamed(line: bytes, old: bytes, new: bytes) -> bytes:
    """The definition of a view, or a line of a table's; names are quoted. What is not sure is left."""
    if old + b"." not in line:
        return line
    is_view = line.startswith(VIEW)
    if is_view and _may_be_alias(line, old):
        return line

    def replaced(found: re.Match[bytes]) -> bytes:
        is_meant = found["first"] == old and found["rest"]
        if is_meant and (is_view or line.endswith(SEQUENCE_ASKED, 0, found.start())):
            return new + found["rest"]
        return found[0]

    return WORDS.sub(replaced, line)


def _may_be_alias(line: bytes, name: bytes) -> bool:
    """It stands alone, and neither as what a column nor as what the view itself is called: so a table may be."""
    return any(
        found["chain"] == name and not line.endswith(COLUMN_ALIAS, 0, found.start()) for found in WORDS.finditer(line)
    )
