"""A drill's report on disk: Markdown for a ticket, HTML for a reader, JSON for people's own tools."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import yaml

from dbwatch.core import strict_yaml
from dbwatch.core.backups import drills, report_pages, reporting
from dbwatch.errors import DbwatchError
from dbwatch.files import alerting_root
from dbwatch.jobs.faults import disk_error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dbwatch.core.backups.drills import DrillResult
    from dbwatch.core.backups.reporting import Language

READERS = 0o640  # reports name databases and tables
ENTERED = 0o750
WORDS = "drill.yml"


def write(result: DrillResult, directory: Path, language: Language, timezone: str) -> tuple[Path, ...]:
    """The files, Markdown first. Raise JobError where they cannot be written."""
    page = reporting.page(result, words(language), language, ZoneInfo(timezone))
    texts = {"md": report_pages.markdown(page), "html": report_pages.html(page), "json": drills.dump(result)}
    stem = f"{_moment(result.started_at)}_{result.instance}_{result.scenario}"
    try:
        directory.mkdir(mode=ENTERED, parents=True, exist_ok=True)
        return tuple(_written(directory / f"{stem}.{ending}", text) for ending, text in texts.items())
    except OSError as error:
        raise disk_error(error, directory) from None


def _moment(unix_seconds: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(unix_seconds))


def _written(path: Path, text: str) -> Path:
    """Whole or not at all: who looks at the directory never reads half a report."""
    half = path.with_name(f".{path.name}.partial")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, READERS)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, READERS)
        file.write(text)
    half.replace(path)
    return path


@cache
def words(language: Language) -> Mapping[str, str]:
    """What reports say in a language."""
    path = alerting_root() / "templates" / language / WORDS
    try:
        found = strict_yaml.load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DbwatchError(f"{path} cannot be read: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise DbwatchError(f"{path} holds no words")
    return {str(name): str(text) for name, text in found.items()}
