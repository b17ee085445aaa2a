"""What `dbwatch config check` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.errors import ConfigError
from dbwatch.settings.load import load_with_warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dbwatch.settings.models import Settings


@dataclass(frozen=True, slots=True)
class Report:
    """The lines to print, and whether the daemon would start with this configuration."""

    lines: tuple[str, ...]
    ok: bool


def check_report(path: Path, environ: Mapping[str, str], *further: Callable[[Settings], object]) -> Report:
    """Every fault, one a line; or how many instances there are, and the warnings.

    `further` are the checks of higher floors (collectors, web configuration), which raise ConfigError.
    """
    try:
        loaded = load_with_warnings(path, environ)
        for check in further:
            check(loaded.settings)
    except ConfigError as error:
        return Report(tuple(map(str, error.faults)), ok=False)
    warnings = (f"warning: {warning}" for warning in loaded.warnings)
    count = len(loaded.settings.instances)
    return Report((*warnings, f"{path}: {count} instance{'' if count == 1 else 's'}, ok"), ok=True)
