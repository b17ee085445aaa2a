"""From a path and an environment to Settings, or to every fault at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from dbwatch.errors import ConfigError
from dbwatch.settings.checks import Checker
from dbwatch.settings.explain import explained, keys_of
from dbwatch.settings.models import Settings
from dbwatch.settings.overrides import apply_environment
from dbwatch.settings.prepare import prepared
from dbwatch.settings.sources import read_source
from dbwatch.settings.tree import Node, plain, pruned, replaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from dbwatch.errors import Fault

MOST_ROUNDS = 5  # leaving a value out may make its section incomplete, which is left out in the next round
SOMEBODY = "?"  # stands in for a user that is missing, so that the password is looked at all the same


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings that can be used, and what is odd about them."""

    settings: Settings
    warnings: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """What could be read: where there are faults, without what they stand in."""

    settings: Settings
    tree: Node
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    unread: tuple[Fault, ...] = ()  # files that stand beside those that are read


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of a file or directory under the environment's overrides. ConfigError holds every fault."""
    return load_with_warnings(path, environ).settings


def load_with_warnings(path: Path, environ: Mapping[str, str]) -> Loaded:
    """`load`, with what deserves a look although it works."""
    found = examine(path, environ)
    if found.faults:
        raise ConfigError(in_reading_order(found.faults))
    return Loaded(found.settings, (*found.unread, *found.warnings))


def examine(path: Path, environ: Mapping[str, str]) -> Examined:
    """Whatever can be read, and every fault."""
    source = read_source(path)
    tree, unknown_variables = apply_environment(source.tree, environ)
    tree, misplaced = prepared(tree, environ)
    # A file that could not be read may hold the instance that a variable names.
    faults = [*source.faults, *misplaced, *(() if source.faults else unknown_variables)]
    settings, found = _validated(tree)
    faults += elsewhere(found, faults)
    checker = Checker(settings, tree, environ)
    checker.run()
    faults += elsewhere(checker.faults, faults)
    return Examined(settings, tree, tuple(faults), tuple(checker.warnings), tuple(source.warnings))


def in_reading_order(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(faults, key=_reading_order)


def _reading_order(fault: Fault) -> tuple[str, int]:
    source, _, rest = fault.where.partition(":")
    line = rest.partition(":")[0]
    return source, int(line) if line.isdecimal() else 0


def elsewhere(found: Iterable[Fault], told: Iterable[Fault]) -> list[Fault]:
    """What stands at a place that nothing was told of yet: the rest follows from what was told."""
    places = {fault.where for fault in told}
    return [fault for fault in found if fault.where not in places]


def _validated(tree: Node) -> tuple[Settings, list[Fault]]:
    """Settings, and the faults for which something had to be left out: so that the rest is checked all the same."""
    faults: list[Fault] = []
    for _ in range(MOST_ROUNDS):
        try:
            return Settings.model_validate(plain(tree)), faults
        except ValidationError as error:
            mistakes = error.errors(include_url=False, include_input=False)
            # Later rounds: only what a whole section is checked for. That something is missing may be our own doing.
            told = mistakes if not faults else [mistake for mistake in mistakes if mistake["type"] == "value_error"]
            faults += explained(told, tree)
            tree = _without(tree, mistakes)
    return Settings(), faults


def _without(tree: Node, mistakes: Iterable[ErrorDetails]) -> Node:
    """Leave out each value that is wrong, and each section that lacks something more than a user."""
    for mistake in mistakes:
        path = tuple(map(str, keys_of(mistake["loc"])))
        is_missing = mistake["type"] == "missing"
        if is_missing and path[-1] == "user":
            tree = replaced(tree, path, Node(SOMEBODY, tree.place))
        else:
            tree = pruned(tree, path[:-1] if is_missing else path)
    return tree
