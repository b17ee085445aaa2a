"""Alerts from the command line: through the daemon, or on its history file when no daemon runs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from typing import TYPE_CHECKING

from dbwatch.cli import alert_names
from dbwatch.cli.maintenance import Done, account, carry_out, seconds
from dbwatch.core import durations
from dbwatch.core.showing import humanise
from dbwatch.core.showing.tables import table
from dbwatch.errors import UsageError
from dbwatch.settings.load import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from dbwatch.settings.models import Settings

ALERTS = ("id", "severity", "state", "alert", "instance", "since", "told", "summary")
SILENCES = ("silence", "labels", "until", "who", "reason")
EVENTS = ("when", "what", "id", "alert", "instance", "who", "reason", "summary")
SHORT = 8
STALE_SECONDS = 600.0  # twice the longest interval of evaluation


def listed(config: Path, instance: str, *, as_json: bool) -> list[str]:
    """What fires and what is about to, the worst first; and the silences."""
    settings = load(config, os.environ)
    done = _asked(settings, "alerts_list", {"instance": instance})
    answer = _mapping(done.answer)
    if not answer.get("alerts"):
        _refuse_unknown(instance, settings)
    if as_json:
        return [json.dumps({**answer, "without_daemon": done.without}, indent=2, ensure_ascii=False)]
    now, width = time.time(), shutil.get_terminal_size((160, 24)).columns
    alerts = [each for each in _mappings(answer.get("alerts")) if each.get("state") != "resolved"]
    lines = table(ALERTS, [_alert(each, now) for each in alerts], width) if alerts else ["no alert is active"]
    silences = _mappings(answer.get("silences"))
    if silences:
        lines += ["", *table(SILENCES, [_silence(each) for each in silences], width)]
    looked_at = answer.get("looked_at")
    if done.without:
        return [*_without(done.without, looked_at, now), *lines]
    return [*lines, *_age(looked_at, now)]


def told(config: Path, instance: str, lasting: str, *, as_json: bool) -> list[str]:
    """What happened, the newest first."""
    settings = load(config, os.environ)
    done = _asked(settings, "alerts_history", {"instance": instance, "seconds": _duration(lasting, "--since")})
    answer = done.answer
    if not answer:
        _refuse_unknown(instance, settings)
    if as_json:
        return [json.dumps(answer, indent=2, ensure_ascii=False)]
    events = [_event(each) for each in _mappings(answer)]
    width = shutil.get_terminal_size((160, 24)).columns
    return table(EVENTS, events, width) if events else [f"nothing happened in the last {lasting}"]


def acknowledge(config: Path, alert: str, instance: str, reason: str) -> list[str]:
    """Raise UsageError where it names no alert that fires, or several."""
    arguments: dict[str, object] = {"alert": alert, "instance": instance, "comment": reason, "who": account()}
    done = _asked(load(config, os.environ), "alerts_acknowledge", arguments)
    named = [" ".join(filter(None, (_id(each), _name(each), _instance(each)))) for each in _mappings(done.answer)]
    return [*done.later(), *(f"acknowledged until it resolves: {each}" for each in named)]


def silence(
    config: Path, named: Mapping[str, str], labels: Sequence[str], lasting: str, reason: str, *, is_forced: bool
) -> str:
    """Raise UsageError where it matches nothing in particular, names what nobody knows, or lasts for no time."""
    if "=" in named["alertname"]:
        raise UsageError("a label goes after --label: dbwatch alerts silence --label NAME=VALUE --for 2h")
    settings, chosen = load(config, os.environ), _labelled(named, labels)
    if not is_forced:
        alert_names.checked(chosen, settings)
    arguments: dict[str, object] = {
        "labels": chosen,
        "seconds": _duration(lasting, "--for"),
        "comment": reason,
        "who": account(),
    }
    done = _asked(settings, "alerts_silence", arguments)
    row = _silence(_mapping(done.answer))
    return "\n".join([*done.later(), f"silence {row[0]}: nobody is told of {row[1]} until {row[2]}"])


def _labelled(named: Mapping[str, str], labels: Sequence[str]) -> dict[str, str]:
    """Raise UsageError for a label that is given twice: only one of both would count."""
    chosen = {name: value for name, value in named.items() if value}
    for name, value in map(_label, labels):
        if name in chosen:
            raise UsageError(f"the label {name} is given twice: an alert has one value of it; make two silences")
        chosen[name] = value
    return chosen


def unsilence(config: Path, number: int) -> str:
    done = _asked(load(config, os.environ), "alerts_unsilence", {"id": number, "who": account()})
    return "\n".join([*done.later(), f"silence {number} is over"])


def _asked(settings: Settings, command: str, arguments: dict[str, object]) -> Done:
    return asyncio.run(carry_out(settings, command, arguments))


def _refuse_unknown(instance: str, settings: Settings) -> None:
    """Where nothing is known of it, and nobody configured it: "no alert" would be a lie. Raise UsageError."""
    if instance and instance not in settings.instances:
        raise alert_names.unknown_instance(instance, settings)


def _without(why: str, looked_at: object, now: float) -> list[str]:
    """First of all: nobody looks at the rules now."""
    known = "it never looked at the rules"
    if looked_at is not None:
        known = f"this is what it knew {durations.text(round(max(now - float(str(looked_at)), 0.0)))} ago"
    return [f"{why}: {known}", ""]


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
    by += f": {held.get('comment')}" if held.get("comment") else ""
    return by or (f"silence {silences[0]}" if isinstance(silences, list) and silences else "")


def _event(event: Mapping[str, object]) -> list[str]:
    return [
        humanise.moment(float(str(event.get("at")))),
        str(event.get("kind")),
        str(event.get("fingerprint") or "")[:SHORT],
        _name(event),
        _instance(event),
        str(event.get("who") or ""),
        str(event.get("comment") or ""),
        str(event.get("summary") or ""),
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
