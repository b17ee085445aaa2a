"""Environment variables over the files: DBWATCH_HTTP__ENABLE_LIFECYCLE=true, DBWATCH_INSTANCES__PG1__MONITOR__USER=x.

Not pydantic-settings: it validates by itself, so faults of files and of variables would come in two batches, without
lines, and its nested names know neither an instance called pg-1 nor a variable that nobody reads. Setting a value in
the tree before it is validated gives all of that in fewer lines, and an unknown key is refused as anywhere else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbwatch.errors import Fault
from dbwatch.settings.documents import parse
from dbwatch.settings.fields import PASSWORD_SOURCES
from dbwatch.settings.models import Settings
from dbwatch.settings.suggest import did_you_mean, sections
from dbwatch.settings.tree import KeyPath, Node, Place, replaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PREFIX = "DBWATCH_"
# The command line's own, and those of tests and benchmarks, which start us with their environment.
RESERVED = re.compile(r"DBWATCH_(CONFIG|LAB|BENCH_\w+)")
# What Kubernetes sets in every pod beside a service called dbwatch; its names hold no two '_' in a row.
SERVICE_LINK = re.compile(r"DBWATCH_(\w+_)?(SERVICE_(HOST|PORT)\w*|PORT(_\d+_\w+)?)")
DEEPEST = 6  # instances, a name, collectors, a name, a key; one more to be refused by its name
SECTIONS = ("defaults", *sections(Settings))


def apply_environment(tree: Node, environ: Mapping[str, str]) -> tuple[Node, list[Fault]]:
    """The tree with every override in it, and a fault for each variable that means nothing."""
    faults: list[Fault] = []
    named_elsewhere = set(_password_variables(tree))
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in named_elsewhere or _is_other(variable):
            continue
        path, fault = _path(variable, tree)
        if len(path) > DEEPEST:
            fault = Fault(_where(variable), "is no setting", "check its spelling")
        if fault is None:
            node, fault = _value(variable, path, environ[variable], tree.place.directory)
            tree = replaced(tree, path, node)
        faults += [fault] if fault else []
    return tree, faults


def _password_variables(node: Node) -> Iterable[str]:
    """Variables that some password_env names: theirs is another meaning, whatever they are called."""
    for key, child in node.items.items():
        if key == "password_env" and isinstance(child.data, str):
            yield child.data
        yield from _password_variables(child)
    for child in node.data if isinstance(node.data, list) else ():
        yield from _password_variables(child)


def _is_other(variable: str) -> bool:
    is_service_link = "__" not in variable and SERVICE_LINK.fullmatch(variable)
    return bool(RESERVED.fullmatch(variable) or is_service_link)


def _path(variable: str, tree: Node) -> tuple[KeyPath, Fault | None]:
    rest = variable.removeprefix(PREFIX).lower()
    head, _, tail = rest.partition("__")
    if head == "instances" and tail:
        return _instance_path(variable, tail, tree.items.get("instances", tree).items)
    known = [*(name for name in Settings.model_fields if name not in SECTIONS), *(f"{name}__" for name in SECTIONS)]
    if (not tail and head in known) or (tail and head in SECTIONS):
        return tuple(rest.split("__")), None
    suggestion = did_you_mean(rest, known, spelled=lambda name: PREFIX + name.upper())
    return (), Fault(_where(variable), "is no setting", suggestion or "unset it, or check its spelling")


def _instance_path(variable: str, tail: str, instances: Mapping[str, Node]) -> tuple[KeyPath, Fault | None]:
    """Longest name first: an instance may be called pg and another pg__monitor."""
    matches = [name for name in instances if tail.startswith(_spelled(name) + "__")]
    longest = max(map(len, matches), default=0)
    best = [name for name in matches if len(name) == longest]
    if len(best) == 1:
        keys = tail[longest + 2 :].split("__")
        return ("instances", best[0], *keys), None
    if best:
        return (), Fault(_where(variable), f"names {len(best)} instances: {', '.join(best)}", "rename one of them")
    suggestion = did_you_mean(tail.partition("__")[0], [_spelled(name) for name in instances], spelled=str.upper)
    return (), Fault(_where(variable), "names an instance that no file has", suggestion or "add it to a file first")


def _spelled(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _where(variable: str) -> str:
    return f"environment variable {variable}"


def _value(variable: str, path: KeyPath, text: str, directory: Path) -> tuple[Node, Fault | None]:
    """A YAML scalar, or [a, list]; a password is taken as it is."""
    place = Place(_where(variable), 0, path, directory)
    if path[-1] in PASSWORD_SOURCES:
        return Node(text, place), None
    node, faults = parse(text.encode(errors="replace"), place)
    if faults or (node is not None and isinstance(node.data, dict)):
        return Node(None, place), place.fault("is neither one YAML value nor a [list]", "put it in 'single quotes'")
    data = node.data if node else None
    return Node(data, place, is_null=data is None), None  # a variable that is set to nothing says so
