"""From what was written to what is validated: paths made absolute, defaults put under every instance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.settings.engine import with_engine
from dbwatch.settings.fields import PASSWORD_SOURCES
from dbwatch.settings.models import MysqlInstance, PostgresInstance
from dbwatch.settings.suggest import did_you_mean
from dbwatch.settings.tree import Node, Place, mapped, merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbwatch.errors import Fault

CREDENTIALS = "CREDENTIALS_DIRECTORY"
PATH_KEYS = frozenset({
    "password_file", "ca_file", "certificate_file", "key_file", "socket",
    "web_config_file", "collectors_dir", "state_directory", "control_socket",
    "rules_dir", "templates_dir", "bearer_token_file", "url_file",
    "directory", "scratch_directory", "reports_directory", "identity_file", "postgres_programs", "mysql_programs",
})  # fmt: skip
SECRET_FILES = frozenset({"password_file", "bearer_token_file", "url_file", "identity_file"})
EMPTY_SECRETS = {
    "password": "put the password in 'single quotes' (a word that begins with & is a YAML anchor), write ~ for none "
    "whatever `defaults` say, or remove the key",
    "password_file": "give the path of the file, or remove the key",
    "password_env": "give the name of the variable, or remove the key",
    "bearer_token_file": "give the path of the file, or remove the key",
    "url_file": "give the path of the file, or remove the key",
}
NO_PATHS = frozenset({"labels", "collectors", "thresholds", "match"})  # their keys are free

POSTGRES_KEYS = frozenset(PostgresInstance.model_fields)
MYSQL_KEYS = frozenset(MysqlInstance.model_fields)
EITHER_KEYS = POSTGRES_KEYS | MYSQL_KEYS
SINGULAR = frozenset({"name", "host"})  # each instance has its own
SECTIONS = frozenset({"labels", "databases", "collectors", "thresholds", "tls", "backups"})


def prepared(tree: Node, environ: Mapping[str, str]) -> tuple[Node, list[Fault]]:
    """The tree that Settings takes, and what defaults may not hold."""
    faults: list[Fault] = []
    tree = mapped(tree, lambda node: _anchored(node, environ, faults), spare=NO_PATHS)
    faults += _empty_secrets(tree)
    items = dict(tree.items)
    defaults = items.pop("defaults", Node({}, tree.place))
    faults += _faults_of_defaults(defaults)
    instances = items.get("instances")
    if instances is not None and isinstance(instances.data, dict):
        faults += _names_inside(instances)
        items["instances"] = instances.with_items(
            {name: _completed(instance, defaults, faults) for name, instance in instances.items.items()}
        )
    return tree.with_items(items), faults


def _anchored(node: Node, environ: Mapping[str, str], faults: list[Fault]) -> Node:
    """A relative path is relative to the file that names it; a password's first to systemd's credentials."""
    *above, key = node.place.path or ("",)
    if above and key.isdecimal():  # of a list; what is called like a path above a key is a name
        key = above[-1]
    if key not in PATH_KEYS or not isinstance(node.data, str) or not node.data:
        return node
    directory, text = environ.get(CREDENTIALS, ""), node.data
    if "${" + CREDENTIALS + "}" in text:
        if not directory:
            faults.append(node.place.fault(f"{CREDENTIALS} is not set", "LoadCredential= of the systemd unit sets it"))
        text = text.replace("${" + CREDENTIALS + "}", directory)
    if key in SECRET_FILES and directory and _is_file(Path(directory, text)):
        return Node(str(Path(directory, text)), node.place)
    return Node(str(node.place.directory / text), node.place)


def _empty_secrets(node: Node) -> Iterator[Fault]:
    """What is written with nothing behind it was meant to be something: nobody is logged in without a password.

    Only `password: ~` says that there is none, also where `defaults` give one.
    """
    for key, child in node.items.items():
        if key == "password" and child.is_null:
            yield from _contradicted(node, child)
        elif key in EMPTY_SECRETS and child.data is None:
            yield Place(child.place.source, child.place.line, (*node.place.path, key)).fault(
                "is empty", EMPTY_SECRETS[key]
            )
        elif key not in NO_PATHS:
            yield from _empty_secrets(child)
    for child in node.data if isinstance(node.data, list) else ():
        yield from _empty_secrets(child)


def _contradicted(node: Node, none: Node) -> Iterator[Fault]:
    """None at all, and one all the same: nobody is logged in with a password that was taken away."""
    for source in PASSWORD_SOURCES:
        if source != "password" and source in node.items:
            place = Place(none.place.source, none.place.line, (*node.place.path, "password"))
            yield place.fault(f"says that there is none, and {source} beside it where it is", "keep one of the two")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _faults_of_defaults(defaults: Node) -> list[Fault]:
    if not isinstance(defaults.data, dict):
        return [defaults.place.fault("must be a section of 'key: value' lines", "indent its keys below it")]
    known = EITHER_KEYS - SINGULAR
    faults = []
    for key, node in defaults.items.items():
        if key in SINGULAR:
            faults.append(node.place.fault("is no default", "each instance has its own: move it there"))
        elif key not in known:
            mend = did_you_mean(key, known) or f"there is {', '.join(sorted(known))}"
            faults.append(node.place.fault("is no setting", mend))
    return faults


def _names_inside(instances: Node) -> list[Fault]:
    return [
        instance.items["name"].place.fault("is no setting", "remove it: the key above is the name")
        for instance in instances.items.values()
        if "name" in instance.items
    ]


def _completed(instance: Node, defaults: Node, faults: list[Fault]) -> Node:
    """Defaults under the instance, those aside that only the other engine knows."""
    if instance.data is None and defaults.items:
        instance = instance.with_items({})
    if not isinstance(instance.data, dict):
        return instance
    below = defaults.with_items({key: node for key, node in defaults.items.items() if key in EITHER_KEYS - SINGULAR})
    both, wrong = with_engine(merged(below, instance))
    faults += [fault for fault in wrong if fault not in faults]
    foreign = _foreign_keys(both.items["engine"].data) - set(instance.items)
    items = {key: node for key, node in both.items.items() if key not in foreign | {"name"}}
    return both.with_items({key: _section(key, node) for key, node in items.items()})


def _foreign_keys(engine: object) -> frozenset[str]:
    return EITHER_KEYS - (POSTGRES_KEYS if engine == "postgres" else MYSQL_KEYS)


def _section(key: str, node: Node) -> Node:
    """`labels:` with every line below commented out is an empty section, and so is each kind of backups."""
    if key == "backups" and node.items:
        kinds = {kind: each if each.is_null else _filled(each) for kind, each in node.items.items()}
        return node.with_items(kinds)
    return _filled(node) if key in SECTIONS else node


def _filled(node: Node) -> Node:
    return node.with_items({}) if node.data is None else node
