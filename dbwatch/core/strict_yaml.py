"""YAML as dbwatch reads it everywhere: the safe loader, and a key given twice is an error, not a surprise.

libyaml's loader where PyYAML has it: the catalogue takes 0.1 s instead of half a second. It recurses in C, so that
deep nesting would end the process: the depth is measured first, from events, which do not recurse.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Hashable

    from yaml import SafeLoader as FastLoader
else:
    FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_DEPTH = 50
BEGINNING = re.compile(r"^[ \t?:-]*", re.MULTILINE)  # of a line: indentation, and indicators of blocks that begin on it


class StrictLoader(FastLoader):
    """Refuses duplicate keys and merge keys' surprises."""

    def construct_mapping(self, node: yaml.MappingNode, *arguments: bool) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, *arguments)


def load(text: str) -> object:
    """Read one document. Raise yaml.YAMLError."""
    _refuse_depth(text)
    loader = StrictLoader(text)
    try:
        return loader.get_single_data()
    except (TypeError, ValueError):  # a list as a key, a date that is none, a number of 5000 digits
        raise yaml.constructor.ConstructorError(
            problem="a key or value that cannot be read: put it in 'single quotes'"
        ) from None
    finally:
        loader.dispose()


def _refuse_depth(text: str) -> None:
    if deepest_possible(text) <= MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader=FastLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.constructor.ConstructorError(problem="nested too deep")


def deepest_possible(text: str) -> int:
    """A bound that costs a tenth of the events: a block needs a column or an indicator more, a flow a bracket."""
    begin = max(len(match) for match in BEGINNING.findall(text))
    return 1 + begin + text.count("[") + text.count("{")


def problem(error: yaml.YAMLError, first_line: int = 1) -> str:
    """One line that says where and what: `line 3: the key 'a' stands twice`."""
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "malformed"
    return f"line {mark.line + first_line}: {what}" if mark else str(what)
