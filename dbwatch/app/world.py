"""The world: settings, catalogue and engines, built whole and checked before anything of the old one is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError

from dbwatch import engines, library
from dbwatch.errors import ConfigError, Fault
from dbwatch.settings import paces
from dbwatch.settings.checks import unplaced
from dbwatch.settings.explain import words
from dbwatch.settings.load import load_with_warnings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.engines.base import Engine
    from dbwatch.settings.models import Http, Settings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says over the configuration; empty or None: nothing."""

    listen_addresses: tuple[str, ...] = ()
    telemetry_path: str | None = None
    web_config_file: Path | None = None
    enable_lifecycle: bool | None = None

    def over(self, http: Http) -> Http:
        """Raise ConfigError on what the configuration file could not say either."""
        changes = {
            "listen_addresses": self.listen_addresses or None,
            "telemetry_path": self.telemetry_path,
            "web_config_file": self.web_config_file,
            "enable_lifecycle": self.enable_lifecycle,
        }
        given = {name: value for name, value in changes.items() if value is not None}
        try:
            return type(http).model_validate(http.model_dump() | given)
        except ValidationError as error:
            raise ConfigError(
                Fault(f"command line: {mistake['loc'][0]}", *words(mistake)) for mistake in error.errors()
            ) from None


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a reload replaces."""

    settings: Settings
    catalogue: Catalogue
    engines: Mapping[str, Engine]


def build(path: Path, environ: Mapping[str, str], flags: Flags) -> World:
    """Raise ConfigError with every fault of settings and collectors; nothing has been started by then."""
    loaded = load_with_warnings(path, environ)
    settings = loaded.settings
    catalogue = library.load_for(settings)
    for warning in (*loaded.warnings, *paces.odd(settings, catalogue, unplaced)):
        log.warning("configuration", where=warning.where, what=warning.what, mend=warning.mend)
    settings = settings.model_copy(update={"http": flags.over(settings.http)})
    used = sorted({instance.identity.engine for instance in settings.watched})
    return World(settings, catalogue, {name: engines.load(name, catalogue) for name in used})


def same_questions(one: Catalogue, other: Catalogue, engine: str) -> bool:
    """Whether an engine is asked the same in both, so that its instances need not start again."""
    return (
        one.families == other.families
        and one.collectors_for(engine) == other.collectors_for(engine)
        and [item for key, item in one.probes.items() if key[0] == engine]
        == [item for key, item in other.probes.items() if key[0] == engine]
    )
