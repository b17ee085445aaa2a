"""From a configuration and a name to something that can be asked."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch import engines, library
from dbwatch.errors import UsageError
from dbwatch.poller.once import Target
from dbwatch.settings.load import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.settings.models import Instance, Settings


@dataclass(frozen=True, slots=True)
class World:
    """The settings and the catalogue, as the daemon would have them."""

    settings: Settings
    catalogue: Catalogue

    def target(self, name: str) -> Target:
        """Raise UsageError where no such instance is configured."""
        instance = named(self.settings, name)
        return Target(instance, engines.load(instance.identity.engine, self.catalogue), self.catalogue)

    def targets(self, names: Sequence[str]) -> list[Target]:
        """Those named, or all that are watched."""
        return [self.target(name) for name in names or [instance.name for instance in self.settings.watched]]


def open_world(config: Path) -> World:
    """Raise ConfigError with every fault."""
    settings = load(config, os.environ)
    return World(settings, library.load_for(settings))


def named(settings: Settings, name: str) -> Instance:
    """The instance of that name. Raise UsageError, with the nearest name, where there is none."""
    found = settings.instances.get(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name, settings.instances, 1)
    known = ", ".join(sorted(settings.instances)) or "none"
    hint = f"did you mean {near[0]}?" if near else f"known: {known}"
    raise UsageError(f"no instance {name!r} in the configuration: {hint}")
