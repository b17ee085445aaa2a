"""A file, or a directory of *.yml, as one configuration: sections meet, one key in two files is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbwatch.errors import Fault
from dbwatch.settings.documents import parse_file
from dbwatch.settings.files import why
from dbwatch.settings.tree import Node, Place

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """What was read: one tree, the faults of its form, and what is merely odd."""

    tree: Node
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


def read_source(path: Path) -> Source:
    """Read everything that stands at `path`. Never raises: whatever is wrong is a fault."""
    try:
        if path.is_dir():
            return _read_directory(path)
    except (OSError, ValueError) as error:
        fault = Fault(ascii(str(path))[1:-1], f"cannot be read: {why(error)}", "check the path and its permissions")
        return Source(Node({}, Place(str(path))), [fault])
    return _joined(path, [path], [], path.absolute().parent)


def _read_directory(path: Path) -> Source:
    visible = sorted(file for file in path.iterdir() if not file.name.startswith("."))
    files = [file for file in visible if file.suffix == ".yml"]
    warnings = [
        Fault(str(file), "is not read: only *.yml files are", "rename it to .yml")
        for file in visible
        if file.suffix == ".yaml"
    ]
    if not files:
        nothing = Fault(str(path), "holds no *.yml file", "run `dbwatch init DIR` for a commented example")
        return Source(Node({}, Place(str(path))), [nothing], warnings)
    return _joined(path, files, warnings, path.absolute())


def _joined(path: Path, files: list[Path], warnings: list[Fault], directory: Path) -> Source:
    sections: dict[str, Node] = {}
    faults: list[Fault] = []
    for file in files:
        tree, found = parse_file(file)
        faults += found
        if tree is not None and not isinstance(tree.data, dict | None):
            faults.append(tree.place.fault("must hold sections such as instances:, not a list or a bare value"))
        for key, node in tree.items.items() if tree else ():
            sections[key] = _met(sections[key], node, faults) if key in sections else node
    # `instances:` with everything below commented out is an empty section, not a wrong one.
    sections = {key: node for key, node in sections.items() if node.data is not None}
    if not sections and not faults:
        faults.append(Fault(str(path), "is empty", "run `dbwatch init DIR` for a commented example"))
    return Source(Node(sections, Place(str(path), directory=directory)), faults, warnings)


def _met(first: Node, second: Node, faults: list[Fault]) -> Node:
    """A section from two files: their keys side by side, each from one file only."""
    if first.data is None or second.data is None:
        return first if second.data is None else second
    if not isinstance(first.data, dict) or not isinstance(second.data, dict):
        faults.append(_twice(first, second))
        return first
    faults += [_twice(first.data[key], second.data[key]) for key in second.data if key in first.data]
    return first.with_items({**second.data, **first.data})


def _twice(first: Node, second: Node) -> Fault:
    return second.place.fault(f"stands in {first.place} already", "keep one of the two")
