"""The numbers that alert rules compare with: a table of defaults, and what the settings say over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from dbwatch.core import documents
from dbwatch.core.catalogue import ENGINES
from dbwatch.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

NEVER_NEGATIVE = ("_ratio", "_seconds", "_bytes")
NEGATIVE, NEGATIVE_MEND = "must not be negative", "give 0 or more"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number by its name; `engines` are those whose instances carry it."""

    name: str
    value: float
    help: str
    engines: tuple[str, ...] = ENGINES


class _Entry(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)
    value: Annotated[float, Field(strict=True, allow_inf_nan=False)]
    help: Annotated[str, Field(pattern=r"^\S[^\n]*\.$")]
    engines: Annotated[tuple[Literal["postgres", "mysql", "mssql"], ...], Field(min_length=1)] | None = None


class _Table(RootModel[dict[Name, _Entry]]):
    """A whole file."""


def parse(text: str, path: str) -> dict[str, Threshold]:
    """Every threshold of a file by its name. Raise ConfigError with every mistake."""
    table = documents.read(_Table, text, path, empty={})
    if below := [name for name, entry in table.root.items() if is_impossible(name, entry.value)]:
        raise ConfigError(Fault(path, f"{name}.value: {NEGATIVE}", NEGATIVE_MEND) for name in below)
    return {
        name: Threshold(name, entry.value, entry.help, entry.engines or ENGINES) for name, entry in table.root.items()
    }


def is_impossible(name: str, value: float) -> bool:
    """Whether every server would be beyond it."""
    return value < 0 and name.endswith(NEVER_NEGATIVE)


def values(table: Mapping[str, Threshold], engine: str, *overrides: Mapping[str, float]) -> dict[str, float]:
    """What holds for one instance of this engine: the last of the overrides that names it, else the default."""
    held = {each.name: each.value for each in table.values() if engine in each.engines}
    for override in overrides:
        held.update((name, value) for name, value in override.items() if name in held)
    return held
