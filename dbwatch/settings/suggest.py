"""Did you mean ...? Only words that we know are ever suggested: what was written may be a secret."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import TypeGuard, get_args, get_origin

from pydantic import BaseModel

LONGEST_GUESS = 80  # difflib's cost grows with the square


def did_you_mean(word: str, known: Iterable[str], *, spelled: Callable[[str], str] = str) -> str:
    close = difflib.get_close_matches(word[:LONGEST_GUESS].lower(), sorted(known), n=1, cutoff=0.6)
    return f"did you mean {spelled(close[0])}?" if close else ""


def model_at(model: type[BaseModel], path: Iterable[str | int]) -> type[BaseModel] | None:
    """The model that describes what stands at `path`, if any does."""
    pending: object = model
    for step in path:
        if get_origin(pending) is Mapping:
            pending = _inner(get_args(pending)[1])
        elif get_origin(pending) is tuple:
            pending = _inner(get_args(pending)[0])
        else:
            field = pending.model_fields.get(str(step)) if _is_model(pending) else None
            pending = _inner(field.annotation) if field else None
    return pending if _is_model(pending) else None


def keys(model: type[BaseModel]) -> list[str]:
    """Its keys as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def sections(model: type[BaseModel]) -> list[str]:
    """The keys below which there are further keys."""
    annotations = {name: _inner(field.annotation) for name, field in model.model_fields.items()}
    return [name for name, found in annotations.items() if _is_model(found) or get_origin(found) is Mapping]


def _is_model(candidate: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _inner(annotation: object) -> object:
    """`Credentials | None` is about Credentials; mappings and lists stay, for what leads into them is a step too."""
    if get_origin(annotation) in {Mapping, tuple}:
        return annotation
    return next((part for part in (annotation, *get_args(annotation)) if _is_model(part)), None)
