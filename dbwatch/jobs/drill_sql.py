"""The statements of drills: sql/<engine>/drills/*.sql, each a few named ones that a person may run as well."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from dbwatch.errors import DbwatchError
from dbwatch.files import sql_root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAMED = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)
COMMENT = re.compile(r"^\s*--[^\n]*\n", re.MULTILINE)
FOR = re.compile(r"^-- database: (\w+)[ \t]*$", re.MULTILINE)
QUESTIONS = "questions_*.sql"


@cache
def statements(engine: str, name: str) -> Mapping[str, str]:
    """Those of one file, by name."""
    return _named(_text(sql_root() / engine / "drills" / f"{name}.sql"))


@cache
def questions(engine: str) -> Mapping[str, Mapping[str, str]]:
    """What applications must be able to ask, by the database that it is asked in."""
    texts = [_text(path) for path in sorted((sql_root() / engine / "drills").glob(QUESTIONS))]
    return {found[1]: _named(text) for text in texts if (found := FOR.search(text))}


def _named(text: str) -> Mapping[str, str]:
    _, *rest = NAMED.split(text)
    return {name: COMMENT.sub("", body).strip().rstrip(";") for name, body in zip(rest[::2], rest[1::2], strict=True)}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DbwatchError(f"this installation lacks {path.name}: {error.strerror}") from None
