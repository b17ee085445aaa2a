"""What a process takes from its configuration only once, when it starts: a change of it waits for the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from dbwatch.settings.models import Http, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger()
ONCE = ("state_directory", "control_socket", "max_concurrent_connects", "logging")


def waiting(started_with: Settings, settings: Settings) -> tuple[str, ...]:
    """The keys whose new value is not in use, told in the log too. Nothing waits that was put back."""
    keys = tuple(_changed(started_with, settings))
    for key in keys:
        log.warning("restart_needed", key=key)
    return keys


def _changed(before: Settings, now: Settings) -> Iterator[str]:
    for key in Http.model_fields:
        if getattr(before.http, key) != getattr(now.http, key):
            yield f"http.{key}"
    yield from (key for key in ONCE if getattr(before, key) != getattr(now, key))
