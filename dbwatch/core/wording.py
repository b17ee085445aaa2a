"""What pydantic found, in words that a person can act on. None of its own phrases: they may hold the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

Words = tuple[str, str]  # what is wrong, how to mend it

SECTION = ("must be a section of 'key: value' lines", "indent its keys below it, or remove it")
LIST = ("must be a list", "write [first, second], or one '- item' a line")
TEXT = ("must be text", "put the value in 'single quotes'")
NUMBER = ("must be a whole number", "write digits only")
SWITCH = ("must be true or false", "")
PATH = ("must be a path", "put the path in 'single quotes'")

KINDS: Mapping[str, Words] = {
    "model_type": SECTION,
    "model_attributes_type": SECTION,
    "dict_type": SECTION,
    "mapping_type": SECTION,
    "tuple_type": LIST,
    "list_type": LIST,
    "too_short": ("must not be empty", "give at least one, or remove the key for the default"),
    "string_type": TEXT,
    "string_unicode": ("holds half of a character", "remove the \\u escape"),
    "string_too_short": ("must not be empty", "give it a value, or remove the key"),
    "path_type": PATH,
    "int_type": NUMBER,
    "int_parsing": NUMBER,
    "int_parsing_size": NUMBER,
    "int_from_float": NUMBER,
    "float_type": ("must be a number", ""),
    "float_parsing": ("must be a number", ""),
    "finite_number": ("must be a finite number", ""),
    "bool_type": SWITCH,
    "bool_parsing": SWITCH,
}
BOUNDS = (("gt", "greater than"), ("ge", "at least"), ("lt", "less than"), ("le", "at most"))


def words(mistake: ErrorDetails) -> Words:
    """What is wrong and how to mend it, for any file that is read through a model."""
    kind, context = mistake["type"], mistake.get("ctx", {})
    match kind:
        case _ if kind in KINDS:
            told = KINDS[kind]
        case "extra_forbidden":
            told = "unknown key", "check its spelling, or remove it"
        case "missing":
            told = "is missing", "add it"
        case "value_error":
            what, _, mend = str(context["error"]).partition(": ")
            told = what, mend
        case "literal_error" | "enum":
            told = f"must be one of {context['expected']}".replace("'", "").replace(" or ", ", "), ""
        case "string_pattern_mismatch":
            told = f"must be of the form {context['pattern']}", ""
        case _:
            told = bound(context), ""
    return told


def bound(context: Mapping[str, Any]) -> str:
    """A number out of its bounds; a kind of error that we never met has a name not worth a secret."""
    return next((f"must be {name} {context[key]:g}" for key, name in BOUNDS if key in context), "is not valid")
