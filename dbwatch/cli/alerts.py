"""Alerts from the command line: through the daemon, or on its history file when no daemon runs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from typing import TYPE_CHECKING

from dbwatch.cli.maintenance import account, carry_out, seconds
from dbwatch.core import durations
from dbwatch.core.showing import humanise
from dbwatch.core.showing.tables import table
from dbwatch.errors import UsageError
from dbwatch.settings.load import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

ALERTS = ("id", "severity", "state", "alert", "instance", "since", "told", "summary")
SILENCES = ("silence", "labels", "until", "who", "reason")
EVENTS = ("when", "what", "id", "alert", "instance", "who", "summary")
SHORT = 8
STALE_SECONDS = 600.0  # twice the longest interval of evaluation


def listed(config: Path, instance: str, *, as_json: bool) -> list[str]:
    """What fires and what is about to, the worst first; and the silences."""
    answer = _mapping(_asked(config, "alerts_list", {"instance": instance}))
    if as_json:
        return [json.dumps(answer, indent=2, ensure_ascii=False)]
    now, width = time.time(), shutil.get_terminal_size((160, 24)).columns
    alerts = [each for each in _mappings(answer.get("alerts")) if each.get("state") != "resolved"]
    lines = table(ALERTS, [_alert(each, now) for each in alerts], width) if alerts else ["no alert is active"]
    silences = _mappings(answer.get("silences"))
    if silences:
        lines += ["", *table(SILENCES, [_silence(each) for each in silences], width)]
    return [*lines, *_age(answer.get("looked_at"), now)]


def told(config: Path, instance: str, lasting: str, *, as_json: bool) -> list[str]:
    """What happened, the newest first."""
    answer = _asked(config, "alerts_history", {"instance": instance, "seconds": _duration(lasting, "--since")})
    if as_json:
        return [json.dumps(answer, indent=2, ensure_ascii=False)]
    events = [_event(each) for each in _mappings(answer)]
    width = shutil.get_terminal_size((160, 24)).columns
    return table(EVENTS, events, width) if events else [f"nothing happened in the last {lasting}"]


def acknowledge(config: Path, alert: str, instance: str, reason: str) -> list[str]:
    """Raise UsageError where it names no alert that fires, or several."""
    arguments: dict[str, object] = {"alert": alert, "instance": instance, "comment": reason, "who": account()}
    answer = _mappings(_asked(config, "alerts_acknowledge", arguments))
    return [f"acknowledged until it resolves: {_id(each)} {_name(each)} {_instance(each)}" for each in answer]


def silence(config: Path, named: Mapping[str, str], labels: Sequence[str], lasting: str, reason: str) -> str:
    """Raise UsageError where it matches nothing in particular, or lasts for no time."""
    if "=" in named["alertname"]:
        raise UsageError("a label goes after --label: dbwatch alerts silence --label NAME=VALUE --for 2h")
    chosen = {**named, **dict(map(_label, labels))}
    arguments: dict[str, object] = {
        "labels": {name: value for name, value in chosen.items() if value},
        "seconds": _duration(lasting, "--for"),
        "comment": reason,
        "who": account(),
    }
    made = _mapping(_asked(config, "alerts_silence", arguments))
    row = _silence(made)
    return f"silence {row[0]}: nobody is told of {row[1]} until {row[2]}"


def unsilence(config: Path, number: int) -> str:
    _asked(config, "alerts_unsilence", {"id": number, "who": account()})
    return f"silence {number} is over"


def _asked(config: Path, command: str, arguments: dict[str, object]) -> object:
    return asyncio.run(carry_out(load(config, os.environ), command, arguments))


def _duration(text: str, option: str) -> float:
    try:
        value = seconds(text)
    except UsageError as error:
        raise UsageError(str(error).replace("--for", option)) from None
    return float(value or 0)


def _label(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not (name and found and value):
        raise UsageError(f"--label: {text!r} is not NAME=VALUE")
    return name, value


def _alert(alert: Mapping[str, object], now: float) -> list[str]:
    since = now - float(str(alert.get("active_at")))
    return [
        _id(alert),
        _labels(alert).get("severity", ""),
        str(alert.get("state")),
        _name(alert),
        _instance(alert),
        durations.text(max(since, 0.0)),
        _told(alert),
        str(_mapping(alert.get("annotations")).get("summary", "")),
    ]


def _told(alert: Mapping[str, object]) -> str:
    held = _mapping(alert.get("acknowledged"))
    by = f"acknowledged by {held.get('who') or 'somebody'}" if held else ""
    silences = alert.get("silenced_by")
    return by or (f"silence {silences[0]}" if isinstance(silences, list) and silences else "")


def _event(event: Mapping[str, object]) -> list[str]:
    return [
        humanise.moment(float(str(event.get("at")))),
        str(event.get("kind")),
        str(event.get("fingerprint") or "")[:SHORT],
        _name(event),
        _instance(event),
        str(event.get("who") or ""),
        str(event.get("summary") or event.get("comment") or ""),
    ]


def _silence(silence: Mapping[str, object]) -> list[str]:
    labels = ", ".join(f"{name}={value}" for name, value in _labels(silence).items())
    until = humanise.moment(float(str(silence.get("ends_at"))))
    return [str(silence.get("id")), labels, until, str(silence.get("who") or ""), str(silence.get("comment") or "")]


def _age(looked_at: object, now: float) -> Iterable[str]:
    """Who reads this must know whether anybody judges the rules at all."""
    if looked_at is None:
        return ["", "the rules were never looked at: does a daemon run, with alerting.notify other than off?"]
    elapsed = now - float(str(looked_at))
    old = elapsed > STALE_SECONDS
    return ["", f"the rules were last looked at {durations.text(elapsed)} ago: does the daemon run?"] if old else []


def _id(alert: Mapping[str, object]) -> str:
    return str(alert.get("fingerprint"))[:SHORT]


def _name(alert: Mapping[str, object]) -> str:
    return _labels(alert).get("alertname", "")


def _instance(alert: Mapping[str, object]) -> str:
    return _labels(alert).get("db_instance", "")


def _labels(alert: Mapping[str, object]) -> dict[str, str]:
    return {str(name): str(value) for name, value in _mapping(alert.get("labels")).items()}


def _mapping(answer: object) -> Mapping[str, object]:
    return answer if isinstance(answer, dict) else {}


def _mappings(answer: object) -> list[Mapping[str, object]]:
    return [_mapping(each) for each in answer] if isinstance(answer, list) else []
