"""alerting/inhibitions.yml as values: what is not told while something worse says it all. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel

from dbwatch.core import documents
from dbwatch.core.alerting.model import ALERTNAME
from dbwatch.core.alerting.policy import Inhibition

Names = Annotated[tuple[str, ...], Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)
    source: Names
    target: tuple[str, ...] = ()
    equal: Names


class _File(RootModel[tuple[_Entry, ...]]):
    """A whole file."""


def parse(text: str, path: str) -> tuple[Inhibition, ...]:
    """Raise ConfigError with every mistake."""
    entries = documents.read(_File, text, path, empty=[]).root
    return tuple(
        Inhibition(((ALERTNAME, entry.source),), ((ALERTNAME, entry.target),) if entry.target else (), entry.equal)
        for entry in entries
    )
