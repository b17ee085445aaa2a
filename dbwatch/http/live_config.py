"""The web configuration in use: read again when it or a certificate changes, kept when the new one is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from dbwatch.errors import ConfigError
from dbwatch.http import tls, webconfig
from dbwatch.http.webconfig import WebConfig

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from dbwatch.settings.models import Settings

log = structlog.get_logger()

Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that works."""

    config: WebConfig
    context: ssl.SSLContext | None


def check(settings: Settings) -> None:
    """Raise ConfigError where the web configuration that the settings name cannot be used."""
    if settings.http.web_config_file is not None:
        load(settings.http.web_config_file)


class LiveConfig:
    """Without a file: no TLS, no users."""

    def __init__(self, path: Path | None) -> None:
        """Raise ConfigError: a start needs a good file."""
        self._path = path
        self._stamp: Stamp = ()
        self._current = Loaded(WebConfig(), None)
        if path is not None:
            self._current = load(path)
            self._stamp = self._stamped(self._current)

    @property
    def config(self) -> WebConfig:
        return self._current.config

    @property
    def context(self) -> ssl.SSLContext | None:
        return self._current.context

    def users(self) -> dict[str, bytes]:
        return self.config.hashes

    def headers(self) -> dict[str, str]:
        return self.config.headers

    def refresh(self) -> bool:
        """Read again what has changed; True when there is something new to serve."""
        if self._path is None:
            return False
        stamp = self._stamped(self._current)
        if stamp == self._stamp:
            return False
        self._stamp = stamp  # of a broken file too: it is told once
        try:
            self._current = load(self._path)
        except ConfigError as error:
            log.warning("web_config_refused", file=str(self._path), faults=[str(fault) for fault in error.faults])
            return False
        self._stamp = self._stamped(self._current)
        log.info("web_config_loaded", file=str(self._path))
        return True

    def _stamped(self, loaded: Loaded) -> Stamp:
        paths = [self._path, *loaded.config.files()] if self._path is not None else []
        return tuple(stamp(path) for path in paths)


def load(path: Path) -> Loaded:
    config = webconfig.read(path)
    return Loaded(config, tls.context(config.tls_server_config, path) if config.tls_server_config else None)


def stamp(path: Path) -> tuple[str, int, int, int]:
    """What changes when a file is written or another one put in its place (a symlink is followed)."""
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, 0, 0
    return str(path), found.st_ino, found.st_mtime_ns, found.st_size
