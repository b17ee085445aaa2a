"""YAML files as trees that know their lines. Nothing that a file may hold raises: it becomes a Fault without a value.

Events rather than PyYAML's own composer: libyaml's overflows the C stack on deep nesting, and neither keeps the lines,
refuses a duplicate key or bounds what aliases multiply.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from dbwatch.errors import Fault
from dbwatch.settings.files import opened, why
from dbwatch.settings.tree import KeyPath, Node, Place, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 24
MAX_VALUES = 100_000

TAG = "tag:yaml.org,2002:"
PLAIN_TAGS = frozenset(TAG + name for name in ("null", "bool", "int", "float", "str"))
# What a person writes without a tag and means as text: 2026-01-31, =, <<.
TEXT_TAGS = frozenset(TAG + name for name in ("timestamp", "value", "merge"))
OCTAL = re.compile(r"[-+]?0[0-7_]+")  # to YAML 1.1: it reads 05432 as 2842
SEXAGESIMAL_TAGS = frozenset({TAG + "int", TAG + "float"})  # YAML 1.1 reads 22:00 as 1320: here it is a time of day
FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
QUOTE = "put the value in 'single quotes' if it is text"
NO_TAG = "a word that begins with '!' is a YAML tag, which no setting takes"

# PyYAML's problem -> what to say. Its own words may repeat the input (an alias, a tag): none of them is passed on.
PROBLEMS = (
    ("found character '\\t'", "a tab stands where only spaces may", "replace the tab by spaces"),
    ("found character", "a value cannot begin with this character", QUOTE),
    ("mapping values are not allowed", "a ':' stands where none may", f"check the indentation, or {QUOTE}"),
    ("could not find expected ':'", "a line without 'key: value'", "check the indentation and the ':' of this line"),
    ("found unexpected end of stream", "a quote is opened here and never closed", "close the quote"),
    ("found unexpected document separator", "a quote is opened here and never closed", "close the quote"),
    ("found unknown escape character", 'a backslash inside "double quotes"', "use 'single quotes'"),
    ("expected <block end>", "this line is not aligned with those above", "indent the keys of a section alike"),
    ("expected ',' or", "a [ or { is opened here and never closed", f"close it, or {QUOTE}"),
    (
        "special characters are not allowed",
        "a control character",
        "remove it: the editor may show it as ^ and a letter",
    ),
)


class _RefusedError(Exception):
    """Internal: the document cannot be read any further."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


def parse_file(path: Path) -> tuple[Node | None, list[Fault]]:
    """The tree of a file (None: nothing in it) and every fault of its form."""
    try:
        with opened(path) as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        return None, [Fault(str(path), f"cannot be read: {why(error)}", "check the path and its permissions")]
    if len(raw) > MAX_BYTES:
        return None, [Fault(str(path), "is larger than 4 MiB", "is it a configuration at all?")]
    return parse(raw, Place(str(path), 1, (), path.absolute().parent))


def parse(raw: bytes, place: Place) -> tuple[Node | None, list[Fault]]:
    """`parse_file` of what was read already."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return None, [Fault(f"{place.source}:{line}", "is not UTF-8 text", "save the file in UTF-8")]
    builder = _Builder(place)
    try:
        return builder.document(yaml.parse(text, Loader=FAST_LOADER)), builder.faults
    except _RefusedError as refused:
        return None, [*builder.faults, refused.fault]
    except yaml.YAMLError as error:
        fault = _syntax_fault(text, place, error)
    return None, [*builder.faults, fault]


def scalar(value: str, tag: str | None = None, *, implicit: tuple[bool, bool] = (True, False)) -> Scalar:
    """One YAML scalar; ValueError where its tag or form is not one of ours."""
    if tag is None or tag == "!":
        tag = _implied_tag(value, implicit)
    if tag in TEXT_TAGS or (tag in SEXAGESIMAL_TAGS and ":" in value):
        return value
    if tag not in PLAIN_TAGS:
        raise ValueError(NO_TAG)
    if tag == TAG + "int" and OCTAL.fullmatch(value):
        raise ValueError("begins with 0, and would be read as an octal number")
    try:
        result: Scalar = SafeConstructor().construct_object(yaml.ScalarNode(tag, value))
    except (ValueError, LookupError, yaml.YAMLError):
        result = None
    else:
        return result
    raise ValueError("is neither a number nor text")


def _implied_tag(value: str, implicit: tuple[bool, bool]) -> str:
    resolve: Callable[..., str] = Resolver().resolve
    return resolve(yaml.ScalarNode, value, implicit)


class _Builder:
    """Builds the tree of one document from its events."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.faults: list[Fault] = []
        self.anchors: dict[str, Node] = {}
        self.extent: dict[int, tuple[int, int]] = {}  # id of a finished collection -> values in it, depth of it
        self.kept: list[Node] = []  # so that no id is given twice

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                if root is not None:
                    place = self._place(event, ())
                    raise _RefusedError(place.fault("a second document begins ('---')", "keep one document a file"))
                root = self._node(event, events, self.place)
        return root

    def _place(self, event: yaml.Event, path: KeyPath) -> Place:
        line = event.start_mark.line + 1 if event.start_mark else 0
        return Place(self.place.source, line, path, self.place.directory)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], place: Place) -> Node:
        if len(place.path) > MAX_DEPTH:
            raise _RefusedError(Place(place.source, place.line).fault("is nested too deep", "check the indentation"))
        match event:
            case yaml.AliasEvent():
                return self._alias(event, place)
            case yaml.SequenceStartEvent():
                node = Node(self._list(events, place), place)
            case yaml.MappingStartEvent():
                node = Node(self._mapping(events, place), place)
            case yaml.ScalarEvent():
                node = self._scalar(event, place)
            case _:
                raise AssertionError("YAML has no other kind of node")
        return self._finished(node, event)

    def _finished(self, node: Node, event: yaml.NodeEvent) -> Node:
        if isinstance(event, yaml.CollectionStartEvent):
            self._measure(node)
            if event.tag not in (None, "!", TAG + "map", TAG + "seq"):
                self.faults.append(node.place.fault(NO_TAG, QUOTE))
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _measure(self, node: Node) -> None:
        """Count what a collection would hold with its aliases expanded, before anyone expands them."""
        children = node.data if isinstance(node.data, list) else node.items.values()
        extents = [self.extent.get(id(child), (1, 0)) for child in children]
        values = 1 + sum(values for values, _ in extents)
        depth = 1 + max((depth for _, depth in extents), default=0)
        if values > MAX_VALUES or depth > MAX_DEPTH:
            raise _RefusedError(node.place.fault("holds too much", "do aliases (*name) multiply something?"))
        self.extent[id(node)] = values, depth
        self.kept.append(node)

    def _alias(self, event: yaml.AliasEvent, place: Place) -> Node:
        node = self.anchors.get(event.anchor or "")
        if node is None:
            self.faults.append(
                place.fault("a value that begins with '*' is an alias, and no such anchor stands above", QUOTE)
            )
            return Node(None, place)
        return node

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Node:
        try:
            value = scalar(event.value, event.tag, implicit=event.implicit)
            return Node(value, place, is_null=value is None and bool(event.value))
        except ValueError as error:
            self.faults.append(place.fault(str(error), QUOTE))
            return Node(None, place)

    def _list(self, events: Iterator[yaml.Event], place: Place) -> list[Node]:
        children: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            children.append(self._node(event, events, self._place(event, (*place.path, str(len(children))))))
        return children

    def _mapping(self, events: Iterator[yaml.Event], place: Place) -> dict[str, Node]:
        items: dict[str, Node] = {}
        shared: dict[str, Node] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            at = self._place(event, place.path)
            key = self._key(event, events, at)
            child = self._node(next(events), events, Place(at.source, at.line, (*place.path, key or "?"), at.directory))
            if key == "<<":
                shared = self._shared(child) | shared
            elif key is not None and key in items:
                self._twice(items[key].place, child.place)
            elif key is not None:
                items[key] = child
        return shared | items

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], place: Place) -> str | None:
        """Keys are text as written: `on`, `no` and 2024 are names like any other."""
        if isinstance(event, yaml.ScalarEvent) and event.value:
            return str(event.value)
        self._node(event, events, Place(place.source, place.line, (*place.path, "?"), place.directory))
        self.faults.append(place.fault("a key must be a plain word", QUOTE))
        return None

    def _twice(self, first: Place, second: Place) -> None:
        self.faults.append(second.fault(f"stands twice, first in line {first.line}", "keep one of the two"))

    def _shared(self, node: Node) -> dict[str, Node]:
        """What `<<` brings in: a section, or a list of them of which the first wins."""
        sources = node.data if isinstance(node.data, list) else [node]
        if not all(isinstance(source.data, dict) for source in sources):
            self.faults.append(node.place.fault("'<<' takes a section", "write <<: *name_of_an_anchored_section"))
        items: dict[str, Node] = {}
        for source in reversed(sources):
            items |= source.items
        return items


def _syntax_fault(text: str, place: Place, error: yaml.YAMLError) -> Fault:
    """file:line:column and what is wrong there. The pure parser sees the same fault and names it better."""
    try:
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
    except yaml.YAMLError as plainer:
        error = plainer
    line, column, problem = _position(text, error)
    for beginning, what, mend in PROBLEMS:
        if problem.startswith(beginning):
            return Fault(f"{place.source}:{line}:{column}", what, mend)
    return Fault(f"{place.source}:{line}:{column}", "is not valid YAML from here on", "check indentation and quotes")


def _position(text: str, error: yaml.YAMLError) -> tuple[int, int, str]:
    if isinstance(error, yaml.MarkedYAMLError):
        problem = error.problem or ""
        never_closed = problem.startswith(("found unexpected", "expected ','"))
        mark = error.context_mark if never_closed and error.context_mark else error.problem_mark
        return (mark.line + 1, mark.column + 1, problem) if mark else (1, 1, problem)
    position = getattr(error, "position", 0)
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n"), getattr(error, "reason", "")
