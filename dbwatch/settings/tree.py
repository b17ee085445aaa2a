"""Configuration values that know where they were written: what documents give and what faults point at."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.errors import Fault
from dbwatch.settings.alerting import Heartbeat, Relay
from dbwatch.settings.fields import PASSWORD_SOURCES
from dbwatch.settings.models import PURPOSES, MysqlInstance, PostgresInstance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Placing = Callable[[tuple[str | int, ...], str, str], Fault]  # keys, what, mend

KEY_LENGTH = 60
CREDENTIAL_KEYS = ("user", *PASSWORD_SOURCES)
INSTANCE_KEYS = (*PostgresInstance.model_fields, *MysqlInstance.model_fields, *CREDENTIAL_KEYS)
RELAY_KEYS = tuple(Relay.model_fields)
HEARTBEAT_KEYS = tuple(Heartbeat.model_fields)
SURELY_A_KEY = 0.75

Scalar = str | int | float | bool | None
KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: a file's line or an environment variable, and the keys that lead to it."""

    source: str
    line: int = 0
    path: KeyPath = ()
    directory: Path = Path()  # what a relative path in the value is relative to

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source

    def fault(self, what: str, mend: str = "", below: KeyPath = ()) -> Fault:
        keys = shown((*self.path, *below))
        return Fault(f"{self}: {keys}" if keys else str(self), what, mend)


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place. An alias is the same node twice, so a bomb costs nothing until it is expanded."""

    data: dict[str, Node] | list[Node] | Scalar
    place: Place
    is_null: bool = False  # nothing, and said so: `key: ~` or null, not `key:`

    @property
    def items(self) -> dict[str, Node]:
        return self.data if isinstance(self.data, dict) else {}

    def with_items(self, items: dict[str, Node]) -> Node:
        return Node(items, self.place)


def shown(path: KeyPath) -> str:
    """Keys as dotted text on one line. What stands under `password` is a password written wrongly: left out."""
    if "password" in path:
        path = path[: path.index("password") + 1]
    return ".".join(
        "?" if _may_be_secret(path[:depth]) else printable(path[depth - 1]) for depth in range(1, len(path) + 1)
    )


def _may_be_secret(path: KeyPath) -> bool:
    """An odd key beside `password:` may be the password on a line of its own, unless it looks like a known key."""
    known: tuple[str, ...]
    match path:
        case ("instances", _, key) | ("defaults", key):
            known = INSTANCE_KEYS
        case ("instances", _, purpose, key) | ("defaults", purpose, key) if purpose in PURPOSES:
            known = CREDENTIAL_KEYS
        case ("alertmanager", "basic_auth", key):
            known = CREDENTIAL_KEYS
        case ("mail", "relays", _, key):
            known = RELAY_KEYS
        case ("heartbeat", key):
            known = HEARTBEAT_KEYS
        case _:
            return False
    return not difflib.get_close_matches(key[:KEY_LENGTH], known, cutoff=SURELY_A_KEY)


def printable(key: str) -> str:
    short = key if len(key) <= KEY_LENGTH else key[:KEY_LENGTH] + "..."
    return short if short.isprintable() and short else ascii(short)


def merged(below: Node, above: Node) -> Node:
    """`above` wins key by key, all the way down; one source of a password displaces the others.

    A section with every line below commented out says nothing: what it stands over holds. `section: ~` takes it away.
    """
    if isinstance(below.data, dict) and above.data is None and not above.is_null:
        return below
    if not isinstance(below.data, dict) or not isinstance(above.data, dict):
        return above
    displaced = PASSWORD_SOURCES if any(source in above.data for source in PASSWORD_SOURCES) else ()
    items = {key: node for key, node in below.data.items() if key not in displaced}
    for key, node in above.data.items():
        items[key] = merged(items[key], node) if key in items else node
    return above.with_items(items)


def plain(node: Node) -> object:
    """The value alone, as pydantic takes it."""
    match node.data:
        case dict() as items:
            return {key: plain(child) for key, child in items.items()}
        case list() as children:
            return [plain(child) for child in children]
        case scalar:
            return scalar


def mapped(node: Node, change: Callable[[Node], Node], *, spare: frozenset[str] = frozenset()) -> Node:
    """Every scalar passed through `change`, except below the keys in `spare`."""
    match node.data:
        case dict() as items:
            return node.with_items(
                {key: child if key in spare else mapped(child, change, spare=spare) for key, child in items.items()}
            )
        case list() as children:
            return Node([mapped(child, change, spare=spare) for child in children], node.place)
        case _:
            return change(node)


def replaced(node: Node, path: KeyPath, new: Node) -> Node:
    """The tree with one value set, sections made on the way; what should be a section and is not stays, to be told."""
    if not path:
        return new
    if not isinstance(node.data, dict | None):
        return node
    head, rest = path[0], path[1:]
    child = node.items.get(head, Node(None, Place(new.place.source, path=(*node.place.path, head))))
    return merged(node.with_items(node.items), node.with_items({head: replaced(child, rest, new)}))


def pruned(node: Node, path: Sequence[str | int]) -> Node:
    """The tree without one value; without the whole list, if the value stands in one."""
    if not path:
        return node
    head, rest = str(path[0]), path[1:]
    items = dict(node.items)
    child = items.pop(head, None)
    if child is not None and rest and isinstance(child.data, dict):
        items[head] = pruned(child, rest)
    return node.with_items(items)


def place_of(node: Node, path: Sequence[str | int]) -> tuple[Place, KeyPath]:
    """The deepest place that is known on the way to a value, and the keys that are left below it."""
    for depth, step in enumerate(path):
        child = _child(node, step)
        if child is None:
            return node.place, tuple(str(key) for key in path[depth:])
        node = child
    return node.place, ()


def given(node: Node, path: Sequence[str | int]) -> bool:
    """Whether something is written there, be it right or wrong."""
    found: Node | None = node
    for step in path:
        found = _child(found, step) if found is not None else None
    return found is not None and bool(found.data)


def placed(tree: Node) -> Placing:
    """Makes faults that name the file and the line of a value."""

    def fault(path: tuple[str | int, ...], what: str, mend: str) -> Fault:
        place, below = place_of(tree, path)
        return place.fault(what, mend, below)

    return fault


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node.data, list):
        return node.data[step] if isinstance(step, int) and step < len(node.data) else None
    return node.items.get(str(step))
