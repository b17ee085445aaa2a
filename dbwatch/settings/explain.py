"""What pydantic found, as faults that a person can mend: where it is written, what is wrong, how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core import wording
from dbwatch.settings.fields import MONTH_SECONDS, YEARS_SECONDS
from dbwatch.settings.models import Credentials, MysqlInstance, PostgresInstance, Settings
from dbwatch.settings.suggest import did_you_mean, keys, model_at
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

DURATION = "write 500ms, 15s, 5m or 1h30m"

# Every type of error that our models can give -> what, how: here a fraction is a duration, as a rule.
KINDS: dict[str, wording.Words] = {
    **wording.KINDS,
    "float_type": ("must be a duration", DURATION),
    "float_parsing": ("must be a duration", DURATION),
    "finite_number": ("must be a finite number", DURATION),
}
PATTERNS = {
    "name": (
        "cannot be a name",
        "use letters, digits, '.', '_' and '-', at most 63, a letter or a digit first",
    ),
    "host": ("must be a host name, an address without [ ], or a socket directory", "remove blanks and brackets"),
    "list_id": ("cannot be a list's name", "write it like a host name: dbwatch.example.org"),
    "telemetry_path": ("must be a path such as /metrics", "begin it with '/'; letters, digits and . _ - / may follow"),
}
MISSING = {
    "monitor": "add `monitor:` with a user and a password_file",
    "user": "add the role that dbwatch logs in as, `user: dbwatch`",
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
    what, mend = words(mistake)
    if place.path == ("defaults", "tls", "mode"):
        mend = "the engines name it differently: give it in each instance"
    return place.fault(what, mend, below)


def words(mistake: ErrorDetails) -> wording.Words:
    """What is wrong with a setting, and how to mend it."""
    kind, location, context = mistake["type"], mistake["loc"], mistake.get("ctx", {})
    if kind in KINDS:
        is_duration = "thresholds" not in location and not str(location[-1]).endswith("_ratio")
        return (KINDS if is_duration else wording.KINDS)[kind]
    match kind:
        case "extra_forbidden":
            told = "is no setting", _known_keys(location)
        case "missing":
            told = "is missing", MISSING.get(str(location[-1]), "add it")
        case "string_pattern_mismatch":
            told = _pattern(location)
        case "less_than_equal" if context["le"] in (MONTH_SECONDS, YEARS_SECONDS):
            told = f"must be at most {context['le'] / 86400:.0f}d", DURATION
        case _:
            told = wording.words(mistake)
    what, mend = told
    return what, mend or ("see the commented example of `dbwatch init`" if what == "is not valid" else "")


def _pattern(location: Location) -> tuple[str, str]:
    if {"labels", "match", "group_by"} & set(location):
        return "cannot be a label's name", "use letters, digits and '_', a letter first"
    return PATTERNS.get(str(location[-1]), PATTERNS["name"])


def _known_keys(location: Location) -> str:
    """How to mend an unknown key: the one that was meant, or the section it belongs to, or what there is."""
    *parents, key = (str(step) for step in location)
    if parents[:1] == ["instances"]:
        model = model_at(ENGINES.get(parents[2], PostgresInstance), parents[3:])
    else:
        model = model_at(Settings, parents)
    known = [name for name in (keys(model) if model else ()) if name != "name"]
    if not parents:
        known.append("defaults")
    if key in Credentials.model_fields and "monitor" in known:
        return "it belongs under `monitor:`"
    if key == "name":
        return "remove it: the key above is the name"
    return did_you_mean(key, known) or (f"there is {', '.join(sorted(known))}" if known else "remove it")
