"""Which engine an instance means where it does not say so rightly: its other faults are then told all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.settings.suggest import did_you_mean
from dbwatch.settings.tree import Node, place_of

if TYPE_CHECKING:
    from dbwatch.errors import Fault

KEY = "engine"
ENGINES = ("postgres", "mysql", "mariadb")
MYSQL_PORT = "3306"
MISSING_MEND = "add `engine: postgres`, or mysql for MySQL and MariaDB"


def with_engine(instance: Node) -> tuple[Node, list[Fault]]:
    """The instance with an engine that we know, and what was wrong with it."""
    items = instance.items
    written = items.get(KEY)
    if written is not None and written.data in ENGINES:
        return instance, []
    misspelled = next((key for key in items if key != KEY and did_you_mean(key, [KEY])), None)
    if written is None and misspelled is not None:
        place = items[misspelled].place
        fault = place.fault("is no setting", f"did you mean {KEY}?")
        written = items[misspelled]
    else:
        fault = _fault(instance, written)
    meant = written.data if written is not None and written.data in ENGINES else _likely(items)
    rest = {key: node for key, node in items.items() if written is None or node is not written}
    return instance.with_items({**rest, KEY: Node(meant, instance.place)}), [fault]


def _fault(instance: Node, written: Node | None) -> Fault:
    if written is None:
        place, below = place_of(instance, (KEY,))
        return place.fault("is missing", MISSING_MEND, below)
    known = ", ".join(ENGINES)
    meant = did_you_mean(written.data, ENGINES) if isinstance(written.data, str) else ""
    return written.place.fault(f"must be one of {known}", meant or "correct `engine:`")


def _likely(items: dict[str, Node]) -> str:
    port = items.get("port")
    is_mysql = "socket" in items or (port is not None and str(port.data) == MYSQL_PORT)
    return "mysql" if is_mysql else "postgres"
