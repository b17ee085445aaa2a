"""Alerts and letters as JSON, and back. What an older dbwatch wrote is read as far as it goes."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from dbwatch.core.alerting.model import Alert, AlertState, Change, Item, Letter, LetterKind, Pairs


def alert_text(alert: Alert) -> str:
    return _text(alert)


def alert_from(text: str) -> Alert:
    return _alert(json.loads(text))


def letter_text(letter: Letter) -> str:
    return _text(letter)


def letter_from(text: str) -> Letter:
    body = json.loads(text)
    return Letter(
        **{
            **body,
            "kind": LetterKind(body["kind"]),
            "recipients": tuple(body["recipients"]),
            "items": tuple(_item(item) for item in body["items"]),
            "group": pairs_of(body["group"]),
            "facts": pairs_of(body["facts"]),
        }
    )


def pairs_text(pairs: Pairs) -> str:
    return json.dumps(dict(pairs), separators=(",", ":"))


def pairs_from(text: str) -> Pairs:
    return tuple(sorted(json.loads(text).items()))


def pairs_of(body: list[list[str]]) -> Pairs:
    return tuple((name, value) for name, value in body)


def _text(value: Alert | Letter) -> str:
    return json.dumps(_fields(value), separators=(",", ":"), default=_fields)


def _fields(value: Any) -> dict[str, Any]:
    """One level of it: asdict() copies all that is below, and ten thousand letters are written at once."""
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _item(body: dict[str, Any]) -> Item:
    return Item(**{**body, "alert": _alert(body["alert"]), "change": Change(body["change"])})


def _alert(body: dict[str, Any]) -> Alert:
    return Alert(
        **{
            **body,
            "labels": pairs_of(body["labels"]),
            "annotations": pairs_of(body["annotations"]),
            "state": AlertState(body["state"]),
        }
    )
