"""The monitoring plugin's judgement: samples and thresholds in, one line and an exit code out. Pure.

What is checked stands in checks.yml. Source of the format: Monitoring Plugins Development Guidelines.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from dbwatch.cli.ranges import Range, parse, plain
from dbwatch.core import strict_yaml
from dbwatch.core.showing.units import value_text
from dbwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dbwatch.cli.samples import Sample

CHECKS_FILE = Path(__file__).with_name("checks.yml")
LONGEST_MESSAGE = 400
STALE_SECONDS, STALE_INTERVALS = 300.0, 3


class Status(IntEnum):
    """Exit codes of a plugin; `WORST` orders them."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


WORST = (Status.CRITICAL, Status.WARNING, Status.UNKNOWN, Status.OK)


class Check(BaseModel):
    """One entry of checks.yml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    reduce: Literal["sum", "max", "zeros"]
    text: str
    labels: dict[str, str] = Field(default_factory=dict)
    of: str = ""
    collector: str = ""
    unit: Literal["", "s"] = ""
    perfdata: str = ""
    warning: str = ""
    critical: str = ""


class State(BaseModel):
    """The families that tell how the instance is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    up: str
    reason: str
    maintenance: str
    success: str
    last_success: str
    interval: str


class Checks(BaseModel):
    """checks.yml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    checks: dict[str, Check]

    def families(self) -> set[str]:
        """Every family that is read."""
        named = set(self.state.model_dump().values())
        return named | {name for check in self.checks.values() for name in (check.family, check.of) if name}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a check warns and where it alarms."""

    warning: Range | None = None
    critical: Range | None = None
    asked: bool = False  # given on the command line: absent data is then unknown, not left out


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one instance now."""

    status: Status
    text: str
    perfdata: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The line and the exit code."""

    status: Status
    text: str
    perfdata: tuple[str, ...] = ()

    def __str__(self) -> str:
        numbers = f" | {' '.join(self.perfdata)}" if self.perfdata else ""
        return f"DBWATCH {self.status.name} - {clean(self.text)}{numbers}"


def clean(text: str) -> str:
    """One line, and no bar: what follows a bar is read as numbers."""
    return " ".join(text.replace("|", "/").split())[:LONGEST_MESSAGE]


def load() -> Checks:
    return Checks.model_validate(strict_yaml.load(CHECKS_FILE.read_text(encoding="utf-8")))


def thresholds(checks: Checks, warning: Sequence[str], critical: Sequence[str]) -> dict[str, Thresholds]:
    """The defaults under what `--warning NAME=RANGE` and `--critical NAME=RANGE` say. Raise UsageError."""
    warn, alarm = _given(checks, warning), _given(checks, critical)
    return {
        name: Thresholds(
            warn.get(name, _default(check.warning)),
            alarm.get(name, _default(check.critical)),
            asked=name in warn or name in alarm,
        )
        for name, check in checks.checks.items()
    }


def _default(text: str) -> Range | None:
    return parse(text) if text else None


def _given(checks: Checks, entries: Iterable[str]) -> dict[str, Range]:
    pairs = [entry.partition("=") for entry in entries]
    for name, equals, _ in pairs:
        if not equals and Path(name).exists():
            raise UsageError("for check, -c is --critical: give the configuration with --config")
        if name not in checks.checks or not equals:
            raise UsageError(f"not a threshold: {name!r}: write NAME=RANGE, NAME one of {', '.join(checks.checks)}")
    return {name: parse(text) for name, _, text in pairs}


class Seen:
    """The samples of one instance, as the checks look at them."""

    def __init__(self, samples: Iterable[Sample], state: State) -> None:
        self._state = state
        self._by_name: dict[str, list[Sample]] = {}
        for sample in samples:
            self._by_name.setdefault(sample.name, []).append(sample)

    def named(self, family: str) -> Sequence[Sample]:
        return self._by_name.get(family, ())

    def is_set(self, family: str, **labels: str) -> bool:
        return any(sample.value and labels.items() <= sample.labels.items() for sample in self.named(family))

    def age_seconds(self, now: float) -> float:
        """How old the newest answer of any collector is, where that is more than it should be; else 0."""
        newest = max((sample.value for sample in self.named(self._state.last_success)), default=now)
        shortest = min((sample.value for sample in self.named(self._state.interval)), default=0.0)
        age = now - newest
        return age if age > max(STALE_SECONDS, STALE_INTERVALS * shortest) else 0.0

    def values(self, check: Check) -> list[float]:
        """What the check looks at; no row of a collector that succeeded is a zero, any other absence is not."""
        family = self.named(check.family)
        found = [sample.value for sample in family if check.labels.items() <= sample.labels.items()]
        empty = check.collector and not found and self.is_set(self._state.success, collector=check.collector)
        return [0.0] if empty else found


def judge(
    name: str, samples: Iterable[Sample], checks: Checks, limits: Mapping[str, Thresholds], now: float
) -> Verdict:
    """The verdict on one instance. In maintenance it is OK, whatever is wrong: that stands in brackets."""
    seen = Seen(samples, checks.state)
    found = _judged(name, seen, checks, limits, now)
    if not seen.is_set(checks.state.maintenance):
        return found
    how = found.text.removeprefix(name).lstrip(": ").removeprefix("is ")
    return Verdict(Status.OK, f"{name} is in maintenance ({how})", found.perfdata)


def _judged(name: str, seen: Seen, checks: Checks, limits: Mapping[str, Thresholds], now: float) -> Verdict:
    """Down is critical, no or old data is unknown."""
    state = checks.state
    if not seen.named(state.up):
        return Verdict(Status.UNKNOWN, f"{name}: nothing is known of it yet")
    if not seen.is_set(state.up):
        reasons = ", ".join(sample.labels.get("reason", "") for sample in seen.named(state.reason))
        return Verdict(Status.CRITICAL, f"{name} is down: {reasons or 'the login fails'}")
    age_seconds = seen.age_seconds(now)
    if age_seconds:
        return Verdict(Status.UNKNOWN, f"{name}: nothing new for {value_text(age_seconds, 'seconds')}")
    findings = [_finding(each, check, seen, limits[each]) for each, check in checks.checks.items()]
    return _verdict(name, [finding for finding in findings if finding])


def _verdict(name: str, findings: Sequence[Finding]) -> Verdict:
    """What is wrong first."""
    status = next((each for each in WORST if any(finding.status is each for finding in findings)), Status.OK)
    ordered = sorted(findings, key=lambda finding: WORST.index(finding.status))
    told = ordered if status is Status.OK else [finding for finding in ordered if finding.status is not Status.OK]
    text = ", ".join([f"{name} up", *(finding.text for finding in told)])
    return Verdict(status, text, tuple(finding.perfdata for finding in findings if finding.perfdata))


def _finding(name: str, check: Check, seen: Seen, limits: Thresholds) -> Finding | None:
    values = seen.values(check)
    whole = sum(sample.value for sample in seen.named(check.of)) if check.of else 1.0
    if not values or not whole:
        return Finding(Status.UNKNOWN, f"{name} is not known") if limits.asked else None
    value = reduced(check, values)
    warning, critical = (each.times(whole) if each else None for each in (limits.warning, limits.critical))
    status = _status(value, warning, critical)
    shown = check.text.format(value=value_text(value, "seconds" if check.unit else ""), of=value_text(whole))
    broken = {Status.WARNING: warning, Status.CRITICAL: critical}.get(status)
    text = f"{shown} ({status.name.lower()} at {broken})" if broken else shown
    return Finding(status, text, _perfdata(check.perfdata or name, check, value, (warning, critical, whole)))


def reduced(check: Check, values: Sequence[float]) -> float:
    if check.reduce == "zeros":
        return float(values.count(0))
    return sum(values) if check.reduce == "sum" else max(values)


def _status(value: float, warning: Range | None, critical: Range | None) -> Status:
    if critical and critical.alarms(value):
        return Status.CRITICAL
    return Status.WARNING if warning and warning.alarms(value) else Status.OK


def _perfdata(label: str, check: Check, value: float, limits: tuple[Range | None, Range | None, float]) -> str:
    """`'label'=value[unit];warning;critical;min;max`."""
    warning, critical, whole = limits
    numbers = [str(each) if each else "" for each in (warning, critical)]
    numbers += ["0", plain(whole) if check.of else ""]
    return f"'{label}'={plain(value)}{check.unit};{';'.join(numbers)}".rstrip(";")
