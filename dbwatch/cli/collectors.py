"""`dbwatch collectors`: the catalogue for people."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from dbwatch import library, rule_library
from dbwatch.core import alert_reference, reference
from dbwatch.core.catalogue import ENGINES
from dbwatch.core.model import Role, Scope
from dbwatch.core.showing.tables import table
from dbwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.core.model import Collector

COLUMNS = ("name", "engine", "lane", "every", "scope", "role", "needs", "families")


def lines(names: Sequence[str], engine: str | None, directories: Sequence[Path], docs: Path | None) -> list[str]:
    """What the command prints. Raise UsageError for an engine or a collector that does not exist."""
    if engine is not None and engine not in ENGINES:
        raise UsageError(f"no engine {engine!r}: {', '.join(ENGINES)}")
    catalogue = library.load(directories)
    if docs is not None:
        return [f"wrote {path}" for path in write_reference(catalogue, docs)]
    items = [each for each in catalogue.collectors.values() if engine in (None, each.engine)]
    if names:
        return [line for name in names for line in details(catalogue, named(items, name))]
    return listing(items, shutil.get_terminal_size((160, 24)).columns)


def listing(items: Iterable[Collector], width: int) -> list[str]:
    rows = [
        [
            each.name if each.enabled else f"{each.name} (off)",
            each.engine,
            each.lane.value,
            reference.every(each),
            "database" if each.scope is Scope.DATABASE else "instance",
            "" if each.role is Role.ANY else each.role.value,
            " ".join(each.needs),
            " ".join(sorted(each.families)),
        ]
        for each in sorted(items, key=lambda each: (each.engine, each.name))
    ]
    return table(COLUMNS, rows, width)


def named(items: Iterable[Collector], name: str) -> list[Collector]:
    """Those of that name, of whatever engine. Raise UsageError where there is none."""
    found = [each for each in items if each.name == name]
    if not found:
        raise UsageError(f"no collector {name!r}: see dbwatch collectors")
    return found


def details(catalogue: Catalogue, items: Iterable[Collector]) -> Iterator[str]:
    """Everything about a collector, its SQL included: it can be pasted into a client."""
    for item in items:
        yield f"{item.name} ({item.engine}): {item.description}"
        yield f"  every {reference.every(item)}, lane {item.lane}, asked {reference.asked_where(item)}, {item.path}"
        yield f"  privileges: {reference.privileges(catalogue, item) or 'none'}"
        for family in sorted(item.families):
            yield f"  {family}: {catalogue.families[family].help}"
        for variant in item.variants:
            yield ""
            yield f"-- @when {variant.condition}" if variant.condition else "-- on every server"
            yield from variant.sql.splitlines()
        yield ""


def write_reference(catalogue: Catalogue, directory: Path) -> list[Path]:
    """Write the generated pages. Raise UsageError where that is not possible."""
    written = pages(catalogue)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in written.items():
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{directory}: {error.strerror}") from None
    return [directory / name for name in written]


def pages(catalogue: Catalogue) -> dict[str, str]:
    """Every generated page of docs/reference by its file name."""
    alerts = alert_reference.described(rule_library.shipped_texts())
    return {**reference.pages(catalogue), "alerts.md": alert_reference.page(alerts, library.thresholds())}
