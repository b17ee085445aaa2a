"""A YAML file that has the form of a model: the one way in which its mistakes are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from dbwatch.core import strict_yaml, wording
from dbwatch.errors import ConfigError, Fault

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)


def read(model: type[M], text: str, path: str, empty: object) -> M:
    """The file's content; `empty` stands for a file without any. Raise ConfigError with every mistake."""
    try:
        return model.model_validate(strict_yaml.load(text) or empty)
    except yaml.YAMLError as error:
        raise ConfigError([Fault(path, strict_yaml.problem(error))]) from None
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)
        raise ConfigError(Fault(_place(path, each), *wording.words(each)) for each in mistakes) from None


def _place(path: str, mistake: ErrorDetails) -> str:
    return f"{path}: {'.'.join(map(str, mistake['loc']))}"
