"""alerting/inhibitions.yml as values: what is not told while something worse says it all. Pure."""

from __future__ import annotations

from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from dbwatch.core import strict_yaml, wording
from dbwatch.core.alerting.model import ALERTNAME
from dbwatch.core.alerting.policy import Inhibition
from dbwatch.errors import ConfigError, Fault

Names = Annotated[tuple[str, ...], Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    source: Names
    target: tuple[str, ...] = ()
    equal: Names


class _File(RootModel[tuple[_Entry, ...]]):
    """A whole file."""


def parse(text: str, path: str) -> tuple[Inhibition, ...]:
    """Raise ConfigError with every mistake."""
    try:
        entries = _File.model_validate(strict_yaml.load(text) or []).root
    except yaml.YAMLError as error:
        raise ConfigError([Fault(path, strict_yaml.problem(error))]) from None
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)
        raise ConfigError(Fault(f"{path}: {each['loc']}", *wording.words(each)) for each in mistakes) from None
    return tuple(
        Inhibition(((ALERTNAME, entry.source),), ((ALERTNAME, entry.target),) if entry.target else (), entry.equal)
        for entry in entries
    )
