"""The demonstration's SQL: whole scripts that are run as they are, and named statements of the workload."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbwatch.errors import DbwatchError
from dbwatch.files import sql_root

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.demo.model import EngineName

COMMENT = re.compile(r"^--[^\n]*\n", re.MULTILINE)
NAMED = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)


def script(engine: EngineName, *parts: str) -> str:
    return read(sql_root().joinpath(engine, *parts))


def scripts(engine: EngineName, kind: str) -> list[str]:
    """The numbered files of sql/<engine>/<kind> that build a schema or fill it (01 …), in order."""
    numbered = sorted((sql_root() / engine / kind).glob("[0-9][0-9]_*.sql"))
    return [read(path) for path in numbered if not path.name.startswith("00_")]


def workload_statements(engine: EngineName) -> dict[str, str]:
    """Every named statement of sql/<engine>/dml/workload."""
    found: dict[str, str] = {}
    for path in sorted((sql_root() / engine / "dml" / "workload").glob("*.sql")):
        statements = named_statements(read(path))
        if twice := found.keys() & statements.keys():
            raise DbwatchError(f"{path.name}: named twice: {', '.join(sorted(twice))}")
        found |= statements
    return found


def named_statements(text: str) -> dict[str, str]:
    """Split at the `-- name: x` lines; what stands before the first is for people, as are the comments."""
    _, *rest = NAMED.split(text)
    return {name: COMMENT.sub("", body).strip().rstrip(";") for name, body in zip(rest[::2], rest[1::2], strict=True)}


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DbwatchError(f"the demo lacks {path}: {error.strerror}") from error
