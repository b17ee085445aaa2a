"""Where the files that ship beside the code are: SQL, rules, templates, runbooks and the example configuration."""

from __future__ import annotations

from pathlib import Path

from dbwatch.errors import DbwatchError

PACKAGE = Path(__file__).resolve().parent


def sql_root() -> Path:
    return data_root("sql")


def config_root() -> Path:
    return data_root("config")


def alerting_root() -> Path:
    return data_root("alerting")


def prometheus_root() -> Path:
    return data_root("prometheus")


def runbooks_root() -> Path:
    return data_root("docs/runbooks")


def data_root(name: str, package: Path = PACKAGE) -> Path:
    """The wheel carries them under dbwatch/_data; a checkout (editable install) has them at its top level."""
    for candidate in (package / "_data" / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise DbwatchError(f"this installation of dbwatch lacks its {name}/ files: install it again")
