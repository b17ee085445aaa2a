"""What pydantic found, as faults that a person can mend: where it is written, what is wrong, how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbwatch.settings.models import Credentials, MysqlInstance, PostgresInstance, Settings
from dbwatch.settings.suggest import did_you_mean, model_at
from dbwatch.settings.tree import Node, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from dbwatch.errors import Fault

Location = tuple[str | int, ...]

ENGINES: dict[str, type[BaseModel]] = {
    "postgres": PostgresInstance,
    "mysql": MysqlInstance,
    "mariadb": MysqlInstance,
}

SECTION = ("must be a section of 'key: value' lines", "indent its keys below it, or remove it")
LIST = ("must be a list", "write [first, second], or one '- item' a line")
TEXT = ("must be text", "put the value in 'single quotes'")
NUMBER = ("must be a whole number", "write digits only")
SWITCH = ("must be true or false", "")

# Every type of error that our models can give -> what, how. No text of pydantic's that could hold the input.
KINDS: dict[str, tuple[str, str]] = {
    "model_type": SECTION,
    "model_attributes_type": SECTION,
    "dict_type": SECTION,
    "mapping_type": SECTION,
    "tuple_type": LIST,
    "too_short": ("must not be empty", "give at least one, or remove the key for the default"),
    "string_type": TEXT,
    "string_unicode": ("holds half of a character", "remove the \\u escape"),
    "string_too_short": ("must not be empty", "give it a value, or remove the key"),
    "path_type": ("must be a path", "put the path in 'single quotes'"),
    "int_type": NUMBER,
    "int_parsing": NUMBER,
    "int_parsing_size": NUMBER,
    "int_from_float": NUMBER,
    "float_type": ("must be a duration", "write 500ms, 15s, 5m or 1h30m"),
    "float_parsing": ("must be a duration", "write 500ms, 15s, 5m or 1h30m"),
    "finite_number": ("must be a finite number", "write 500ms, 15s, 5m or 1h30m"),
    "bool_type": SWITCH,
    "bool_parsing": SWITCH,
    "union_tag_invalid": ("engine must be one of postgres, mysql, mariadb", "correct `engine:`"),
    "union_tag_not_found": ("engine is missing", "add `engine: postgres`, or mysql for MySQL and MariaDB"),
}
PATTERNS = {
    "name": (
        "cannot be a name",
        "use letters, digits, '.', '_' and '-', at most 63, a letter or a digit first",
    ),
    "host": ("must be a host name, an address without [ ], or a socket directory", "remove blanks and brackets"),
    "telemetry_path": ("must be a path such as /metrics", "begin it with '/'"),
}
MISSING = {
    "monitor": "add `monitor:` with a user and a password_file",
    "user": "add the role that dbwatch logs in as, `user: dbwatch`",
    "engine": KINDS["union_tag_not_found"][1],
}


def explained(mistakes: Iterable[ErrorDetails], tree: Node) -> list[Fault]:
    """One fault for each mistake; what `defaults` gives to many instances is told once."""
    # The name inside is the key above: a wrong one is told there.
    ours = (mistake for mistake in mistakes if keys_of(mistake["loc"])[2:] != ("name",))
    return list(dict.fromkeys(_fault(mistake, tree) for mistake in ours))


def keys_of(location: Location) -> Location:
    """The keys as written: pydantic adds the engine after an instance's name, and [key] where a key itself is wrong."""
    path = location[:-1] if location[-1:] == ("[key]",) else location
    match path:
        case ("instances", name, engine, *rest) if engine in ENGINES:
            return ("instances", name, *rest)
    return path


def _fault(mistake: ErrorDetails, tree: Node) -> Fault:
    place, below = place_of(tree, keys_of(mistake["loc"]))
    what, mend = _words(mistake)
    if place.path == ("defaults", "tls", "mode"):
        mend = "the engines name it differently: give it in each instance"
    return place.fault(what, mend, below)


def _words(mistake: ErrorDetails) -> tuple[str, str]:
    kind, location, context = mistake["type"], mistake["loc"], mistake.get("ctx", {})
    if kind in KINDS:
        return KINDS[kind]
    match kind:
        case "extra_forbidden":
            words = "is no setting", _known_keys(location)
        case "missing":
            words = "is missing", MISSING.get(str(location[-1]), "add it")
        case "value_error":
            what, _, mend = str(context["error"]).partition(": ")
            words = what, mend
        case "literal_error":
            words = f"must be one of {context['expected']}".replace("'", "").replace(" or ", ", "), ""
        case "string_pattern_mismatch":
            words = _pattern(location)
        case _:
            words = _bound(context)
    return words


def _pattern(location: Location) -> tuple[str, str]:
    if "labels" in location:
        return "cannot be a label's name", "use letters, digits and '_', a letter first"
    return PATTERNS.get(str(location[-1]), PATTERNS["name"])


def _bound(context: dict[str, Any]) -> tuple[str, str]:
    """A number out of its bounds, or a kind of error that we never met: then its name is not worth a secret."""
    for name, words in (("gt", "greater than"), ("ge", "at least"), ("lt", "less than"), ("le", "at most")):
        if name in context:
            return f"must be {words} {context[name]:g}", ""
    return "is not valid", "see the commented example of `dbwatch init`"


def _known_keys(location: Location) -> str:
    """How to mend an unknown key: the one that was meant, or the section it belongs to, or what there is."""
    *parents, key = (str(step) for step in location)
    if parents[:1] == ["instances"]:
        model = model_at(ENGINES.get(parents[2], PostgresInstance), parents[3:])
    else:
        model = model_at(Settings, parents)
    known = [name for name in (model.model_fields if model else ()) if name != "name"]
    if not parents:
        known.append("defaults")
    if key in Credentials.model_fields and "monitor" in known:
        return "it belongs under `monitor:`"
    if key == "name":
        return "remove it: the key above is the name"
    return did_you_mean(key, known) or (f"there is {', '.join(sorted(known))}" if known else "remove it")
