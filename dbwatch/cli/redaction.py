"""Takes secrets out of text before it is logged. Pure.

The settings hold passwords as SecretStr and no DSN is ever built; this is the second wall, for what drivers, servers
and tracebacks say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

HIDDEN = "***"
REPLACED = rf"\1{HIDDEN}"
SECRET_KEY = re.compile(r"pass(word|wd|phrase)?$|secret|^pwd$|token$|authorization|credential", re.IGNORECASE)
QUOTED = r"(?:'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")"
AS_MYSQL_SAYS = r"(?!(?<=using )password: (?:YES|NO)\))"  # what MySQL says of a refused login
PATTERNS = (
    # ALTER ROLE x PASSWORD '...', SET PASSWORD FOR a = PASSWORD('...')
    (
        re.compile(rf"(\bPASSWORD(?=[\s=(])(?:\s+FOR\b[^=]*)?[\s=(]*(?:PASSWORD[\s(]*)?){QUOTED}", re.IGNORECASE),
        REPLACED,
    ),
    # IDENTIFIED BY '...', IDENTIFIED WITH plugin AS '...', IDENTIFIED VIA plugin USING PASSWORD('...')
    (
        re.compile(
            rf"(\bIDENTIFIED\s+(?:(?:WITH|VIA)\s+\S+\s+)?(?:BY|AS|USING)[\s(]*(?:PASSWORD[\s(]*)?){QUOTED}",
            re.IGNORECASE,
        ),
        REPLACED,
    ),
    # password=..., "passwd": "...", pwd: ...; a value in quotes may hold blanks
    (
        re.compile(
            rf"(\b{AS_MYSQL_SAYS}\w*(?:password|passwd|pwd)[\"']?\s*[=:]\s*)(?:{QUOTED}|[^\s,;&)}}\]'\"]+)",
            re.IGNORECASE,
        ),
        REPLACED,
    ),
    # scheme://user:pass@host; greedy up to the last @ before a blank, because a password may hold one
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)\S*(@)", re.IGNORECASE), rf"\1{HIDDEN}\2"),
    (re.compile(r"(\bAuthorization:?\s*(?:Basic|Bearer)\s+)\S+", re.IGNORECASE), REPLACED),
)


def redacted(text: str) -> str:
    """The text with every password in it replaced by ***."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def clean(value: object, key: str = "") -> object:
    """A value of an event, whatever its shape; under a key that names a secret nothing is shown."""
    if key and SECRET_KEY.search(key):
        return HIDDEN
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): clean(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(inner) for inner in value]
    return redacted(str(value))
