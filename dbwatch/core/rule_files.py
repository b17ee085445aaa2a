"""Prometheus rule files to values; strict: a mistake is told with its file and rule, and all of them at once. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dbwatch.core import durations, strict_yaml
from dbwatch.core.alerting.model import ALERTNAME, Severity
from dbwatch.core.heads import mistakes
from dbwatch.core.promql import parsing, templates
from dbwatch.core.rules import AlertRule
from dbwatch.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dbwatch.core.promql.templates import Template

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
REQUIRED_LABELS = ("severity", "category")
REQUIRED_ANNOTATIONS = ("summary", "runbook_url")
PLAIN_LABELS = "a label of a rule is plain text: templates stand in annotations"

Duration = Annotated[float, BeforeValidator(durations.of_prometheus)]


class _Closed(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class _RuleText(_Closed):
    alert: str
    expr: str
    for_: Duration = Field(default=0.0, alias="for")
    keep_firing_for: Duration = 0.0
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class _GroupText(_Closed):
    name: str = Field(min_length=1)
    rules: tuple[_RuleText, ...]


class _FileText(_Closed):
    groups: tuple[_GroupText, ...]


def read(files: Iterable[tuple[str, str]]) -> tuple[AlertRule, ...]:
    """Every rule of (path, text) files. Raise ConfigError with every mistake, duplicate names over all files too."""
    rules: list[AlertRule] = []
    faults: list[Fault] = []
    for path, text in files:
        for group in _groups(path, text, faults):
            rules += _rules(path, group, faults)
    faults += _duplicates(rules)
    if faults:
        raise ConfigError(faults)
    return tuple(rules)


def _duplicates(rules: Iterable[AlertRule]) -> Iterator[Fault]:
    seen: dict[str, AlertRule] = {}
    for rule in rules:
        if (first := seen.setdefault(rule.name, rule)) is not rule:
            yield Fault(f"{rule.path}: {rule.name}", f"an alert of that name stands in {first.path}", "rename one")


def _groups(path: str, text: str, faults: list[Fault]) -> tuple[_GroupText, ...]:
    try:
        return _FileText.model_validate(strict_yaml.load(text)).groups
    except yaml.YAMLError as error:
        faults.append(Fault(path, strict_yaml.problem(error)))
    except ValidationError as error:
        faults += mistakes(error, path)
    return ()


def _rules(path: str, group: _GroupText, faults: list[Fault]) -> Iterator[AlertRule]:
    for entry in group.rules:
        where = f"{path}: {_in_one_line(entry.alert)}"
        faults += _incomplete(entry, where)
        try:
            yield _rule(path, group.name, entry, where)
        except ConfigError as error:
            faults += error.faults


def _rule(path: str, group: str, entry: _RuleText, where: str) -> AlertRule:
    return AlertRule(
        name=entry.alert,
        group=group,
        expression=parsing.parse(entry.expr, where),
        text=" ".join(entry.expr.split()),
        for_seconds=entry.for_,
        keep_firing_for_seconds=entry.keep_firing_for,
        labels=_templates(entry.labels, where),
        annotations=_templates(entry.annotations, where),
        path=path,
    )


def _templates(texts: Mapping[str, str], where: str) -> dict[str, Template]:
    return {name: templates.parse(text, f"{where}: {name}") for name, text in texts.items()}


def _incomplete(entry: _RuleText, where: str) -> Iterator[Fault]:
    if not NAME.fullmatch(entry.alert):
        yield Fault(where, "the name of an alert is made of letters and digits", "write it LikeThis")
    if ALERTNAME in entry.labels:
        yield Fault(where, f"the label {ALERTNAME} is the rule's name", "remove it")
    for name in REQUIRED_LABELS:
        if not entry.labels.get(name):
            yield Fault(where, f"has no label {name}", "add it under labels")
    for name in REQUIRED_ANNOTATIONS:
        if not entry.annotations.get(name):
            yield Fault(where, f"has no annotation {name}", "add it under annotations")
    severity = entry.labels.get("severity", Severity.INFO.value)
    if severity not in list(Severity):
        yield Fault(where, "severity: must be one of " + ", ".join(Severity))
    yield from (Fault(where, f"{name}: {PLAIN_LABELS}") for name, text in entry.labels.items() if "{{" in text)
    for name, text in entry.labels.items():
        if CONTROL.search(name + text):
            yield Fault(where, f"{_in_one_line(name)}: holds a control character", "write it in one line")


def _in_one_line(name: str) -> str:
    """A fault is one line, whatever it tells of."""
    return repr(name) if CONTROL.search(name) else name
