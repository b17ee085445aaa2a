"""Reads sql/ and the operator's collectors_dir from disk into a catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core import catalogue
from dbwatch.core.catalogue import ENGINES, Catalogue, Source
from dbwatch.errors import CatalogueError, ConfigError, Fault
from dbwatch.files import sql_root
from dbwatch.settings.checks import unknown_collectors, unplaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dbwatch.core.model import Family
    from dbwatch.settings.models import Settings
    from dbwatch.settings.tree import Placing

FAMILIES = "families.yml"


def load_for(settings: Settings, at: Placing = unplaced) -> Catalogue:
    """The catalogue that these settings ask for. Raise ConfigError, also where they name a collector that is not."""
    loaded = load(settings.collectors_dir)
    faults = unknown_collectors(settings, loaded.known_collectors(), at)
    if faults:
        raise ConfigError(faults)
    return loaded


def load(collectors_dirs: Iterable[Path] = ()) -> Catalogue:
    """Everything that ships, and the operator's own: DIR/families.yml and DIR/<engine>/*.sql. Raise CatalogueError."""
    root = sql_root()
    families = catalogue.families(_read(root / FAMILIES), f"sql/{FAMILIES}")
    sources = list(_builtin(root))
    faults: list[Fault] = []
    for directory in collectors_dirs:
        try:
            families |= _own_families(directory, set(families))
            sources += _own(directory)
        except CatalogueError as error:
            faults += error.faults
    try:
        built = catalogue.build(families, sources)
    except CatalogueError as error:
        raise CatalogueError([*faults, *error.faults]) from None
    if faults:
        raise CatalogueError(faults)
    return built


def _builtin(root: Path) -> Iterator[Source]:
    for engine in ENGINES:
        for kind in ("metrics", "probes", "jobs"):
            for path in sorted((root / engine / kind).glob("*.sql")):
                shown = f"sql/{engine}/{kind}/{path.name}"
                yield Source(engine, kind, path.stem, shown, _read(path))


def _own(directory: Path) -> Iterator[Source]:
    if not directory.is_dir():
        raise CatalogueError([Fault(str(directory), "collectors_dir is not a directory")])
    ours = [(engine, path) for engine in ENGINES for path in sorted((directory / engine).glob("*.sql"))]
    if strays := _strays(directory, {path for _, path in ours}):
        mend = f"put it in {' or '.join(f'{directory / engine}/' for engine in ENGINES)}"
        raise CatalogueError(Fault(str(path), "not read", mend) for path in strays)
    for engine, path in ours:
        yield Source(engine, "metrics", path.stem, str(path), _read(path), builtin=False)


def _strays(directory: Path, ours: set[Path]) -> list[Path]:
    """Files that somebody meant as collectors; what begins with a dot is an editor's, or a Kubernetes volume's."""
    found = sorted(set(directory.rglob("*.sql")) - ours)
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(directory).parts)]


def _own_families(directory: Path, taken: set[str]) -> dict[str, Family]:
    path = directory / FAMILIES
    if not path.exists():
        return {}
    own = catalogue.families(_read(path), str(path))
    clash = sorted(own.keys() & taken)
    if clash:
        raise CatalogueError(Fault(str(path), f"{name} is a built-in family", "choose another name") for name in clash)
    return own


def _read(path: Path) -> str:
    """Raise CatalogueError where the file cannot be read as UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError([Fault(str(path), f"cannot be read: {error}")]) from None
