"""Reads sql/ and the operator's collectors_dir from disk into a catalogue."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dbwatch.core import catalogue, consistency
from dbwatch.core import thresholds as threshold_files
from dbwatch.core.catalogue import ENGINES, Catalogue, Source
from dbwatch.errors import CatalogueError, ConfigError, Fault
from dbwatch.files import alerting_root, sql_root
from dbwatch.settings import paces
from dbwatch.settings.checks import unknown_collectors, unknown_thresholds, unplaced
from dbwatch.settings.files import opened, why

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dbwatch.core.model import Collector, Family
    from dbwatch.core.thresholds import Threshold
    from dbwatch.settings.models import Settings
    from dbwatch.settings.tree import Placing

FAMILIES = "families.yml"
THRESHOLDS = "thresholds.yml"
OF_BACKUPS = "backup_"  # how the names of their questions begin


def load_for(settings: Settings, at: Placing = unplaced, *, backups: bool = False) -> Catalogue:
    """The catalogue that these settings ask for, or a restore. Raise ConfigError, also where a collector is none."""
    loaded = load(settings.collectors_dir, backups=backups or settings.backs_up)
    faults = unknown_collectors(settings, loaded.known_collectors(), at) + paces.refused(settings, loaded, at)
    with suppress(ConfigError):  # a table that cannot be read is told with the rules that it belongs to
        faults += unknown_thresholds(settings, thresholds(settings.alerting.rules_dir).keys(), at)
    if faults:
        raise ConfigError(faults)
    return loaded


def load(collectors_dirs: Iterable[Path] = (), *, backups: bool = True) -> Catalogue:
    """Everything that ships, and the operator's own: DIR/families.yml and DIR/<engine>/*.sql. Raise CatalogueError.

    Without `backups`, what only they ask is not read: a start waits for each file, and each stays in memory.
    """
    root = sql_root()
    families = catalogue.families(_read(root / FAMILIES), f"sql/{FAMILIES}")
    sources = list(_builtin(root, backups=backups))
    faults: list[Fault] = []
    for directory in collectors_dirs:
        own = list(_own(directory, faults))
        try:
            families |= _own_families(directory, families)
        except CatalogueError as error:  # what they name is not known then: only their own heads are looked at
            faults += [*error.faults, *(fault for each in own for fault in _faults_alone(each))]
        else:
            sources += own
    return _built(families, sources, faults)


def thresholds(rules_dirs: Iterable[Path] = ()) -> dict[str, Threshold]:
    """Those that ship, and DIR/thresholds.yml of the operator's own rules. Raise ConfigError."""
    table = threshold_files.parse(_read(alerting_root() / THRESHOLDS), f"alerting/{THRESHOLDS}")
    for path in (directory / THRESHOLDS for directory in rules_dirs):
        own = threshold_files.parse(_read(path), str(path)) if path.exists() else {}
        if taken := sorted(own.keys() & table.keys()):
            raise ConfigError(
                Fault(
                    str(path), f"{name} is a threshold already", "override it in the settings, or choose another name"
                )
                for name in taken
            )
        table |= own
    return table


def load_one(path: Path, engine: str | None = None) -> tuple[Catalogue, Collector]:
    """What ships for its engine and one file of the operator's, with the families.yml beside it or a directory above.

    The engine is that of its directory, else the one given. Raise CatalogueError with every mistake of the two files.
    """
    root = sql_root()
    families = catalogue.families(_read(root / FAMILIES), f"sql/{FAMILIES}")
    beside = path.parent if (path.parent / FAMILIES).exists() else path.parent.parent
    engine = path.parent.name if path.parent.name in ENGINES else engine
    if engine is None:
        mend = f"put it in {' or '.join(f'{each}/' for each in ENGINES)}, or say --against INSTANCE"
        raise CatalogueError([Fault(str(path), "which engine is it for?", mend)])
    own = Source(engine, "metrics", path.stem, str(path), _read(path), builtin=False)
    try:
        families |= _own_families(beside, families)
    except CatalogueError as error:  # what it names is not known then: only its own head is looked at
        raise CatalogueError([*error.faults, *_faults_alone(own)]) from None
    built = _built(families, [*(each for each in _builtin(root) if each.engine == engine), own])
    _refuse_clashes(path, built.collectors[engine, path.stem])
    return built, built.collectors[engine, path.stem]


def _faults_alone(source: Source) -> tuple[Fault, ...]:
    try:
        catalogue.collector(source)
    except CatalogueError as error:
        return error.faults
    return ()


def _refuse_clashes(path: Path, item: Collector) -> None:
    """With its neighbours, as far as these can be read."""
    others = []
    for other in sorted(path.parent.glob("*.sql")):
        if other.name != path.name:
            with suppress(CatalogueError):
                others.append(catalogue.collector(Source(item.engine, "metrics", other.stem, str(other), _read(other))))
    if mine := [each for each in consistency.clashes([*others, item]) if each.where == item.path]:
        raise CatalogueError(mine)


def _built(families: Mapping[str, Family], sources: Sequence[Source], faults: Sequence[Fault] = ()) -> Catalogue:
    try:
        built = catalogue.build(families, sources)
    except CatalogueError as error:
        raise CatalogueError([*faults, *error.faults]) from None
    if found := [*faults, *_borrowed(built, sources)]:
        raise CatalogueError(found)
    return built


def _borrowed(built: Catalogue, sources: Sequence[Source]) -> Iterator[Fault]:
    """What dbwatch gives by itself nobody else may add to, not even under other labels."""
    items = built.collectors
    given = {name for each in sources if each.builtin and each.kind == "metrics"
             for name in items[each.engine, each.name].families}  # fmt: skip
    for source in sources:
        if not source.builtin:
            for name in sorted(items[source.engine, source.name].families & given):
                yield Fault(source.path, f"{name} is a built-in family", "choose another name")


def _builtin(root: Path, *, backups: bool = True) -> Iterator[Source]:
    for engine in ENGINES:
        for kind in ("metrics", "probes", "jobs"):
            for path in sorted((root / engine / kind).glob("*.sql")):
                if path.name.startswith(OF_BACKUPS) and not backups:
                    continue
                shown = f"sql/{engine}/{kind}/{path.name}"
                yield Source(engine, kind, path.stem, shown, _read(path))


def _own(directory: Path, faults: list[Fault]) -> Iterator[Source]:
    """The collectors that can be read; of the rest, and of files that nobody reads, a fault each."""
    if not directory.is_dir():
        faults.append(Fault(str(directory), "collectors_dir is not a directory", "create it, or remove it"))
    ours = [(engine, path) for engine in ENGINES for path in sorted((directory / engine).glob("*.sql"))]
    if strays := _strays(directory, {path for _, path in ours}):
        mend = f"put it in {' or '.join(f'{directory / engine}/' for engine in ENGINES)}"
        faults += [Fault(str(path), "not read", mend) for path in strays]
    for engine, path in ours:
        try:
            yield Source(engine, "metrics", path.stem, str(path), _read(path), builtin=False)
        except CatalogueError as error:
            faults += error.faults


def _strays(directory: Path, ours: set[Path]) -> list[Path]:
    """Files that somebody meant as collectors; what begins with a dot is an editor's, or a Kubernetes volume's."""
    found = sorted(set(directory.rglob("*.sql")) - ours)
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(directory).parts)]


def _own_families(directory: Path, builtin: Collection[str]) -> dict[str, Family]:
    path = directory / FAMILIES
    return catalogue.families(_read(path), str(path), builtin) if path.exists() else {}


def _read(path: Path) -> str:
    """Raise CatalogueError where the file cannot be read as UTF-8."""
    try:
        with opened(path) as file:
            return file.read().decode()
    except (OSError, ValueError) as error:
        what = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {why(error)}"
        raise CatalogueError([Fault(str(path), what, "check the path, its permissions and its encoding")]) from None
