"""Reads alert rules from disk: those that ship in alerting/rules, and the operator's own directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core import rule_files
from dbwatch.core.alerting import inhibiting
from dbwatch.errors import ConfigError, Fault
from dbwatch.files import alerting_root, prometheus_root
from dbwatch.settings.files import opened, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dbwatch.core.alerting.policy import Inhibition
    from dbwatch.core.rules import AlertRule

INHIBITIONS = "alerting/inhibitions.yml"


THRESHOLDS = "thresholds.yml"  # an operator's own stand in the same directory


def load(directories: Iterable[Path] = ()) -> tuple[AlertRule, ...]:
    """The rules that ship, and those of these directories. Raise ConfigError with every mistake."""
    root = alerting_root() / "rules"
    shipped = [(f"alerting/rules/{path.name}", path) for path in sorted(root.glob("*.yml"))]
    return _load([*shipped, *_own(directories)])


def shipped_texts() -> list[tuple[str, str]]:
    """Every rule file that ships, those that need a Prometheus too, as (path, text)."""
    roots = {"alerting/rules": alerting_root() / "rules", "prometheus/rules": prometheus_root() / "rules"}
    found = [(f"{shown}/{path.name}", path) for shown, root in roots.items() for path in sorted(root.glob("*.yml"))]
    return [(shown, _read(path, shown)) for shown, path in found]


def load_own(directories: Iterable[Path]) -> tuple[AlertRule, ...]:
    """Only those of these directories."""
    return _load(_own(directories))


def inhibitions() -> tuple[Inhibition, ...]:
    """Those that ship: alerting/inhibitions.yml."""
    return inhibiting.parse(_read(alerting_root() / "inhibitions.yml", INHIBITIONS), INHIBITIONS)


def _own(directories: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for directory in directories:
        if not directory.is_dir():
            raise ConfigError([Fault(str(directory), "is not a directory of rules", "create it, or remove it")])
        found = sorted(path for pattern in ("*.yml", "*.yaml") for path in directory.glob(pattern))
        yield from ((str(path), path) for path in found if not path.name.startswith(".") and path.name != THRESHOLDS)


def _load(paths: Iterable[tuple[str, Path]]) -> tuple[AlertRule, ...]:
    return rule_files.read([(shown, _read(path, shown)) for shown, path in paths])


def _read(path: Path, shown: str) -> str:
    try:
        with opened(path) as file:
            return file.read().decode()
    except (OSError, ValueError) as error:
        what = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {why(error)}"
        raise ConfigError([Fault(shown, what, "check the path, its permissions and its encoding")]) from None
