"""Read one .sql file: a YAML head in a comment, then one or more variants of SQL. Pure: text in, values out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, ValidationError

from dbwatch.core import conditions, durations, strict_yaml, wording
from dbwatch.core.model import Lane, Origin, Role, Scope, Variant
from dbwatch.errors import CatalogueError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = re.compile(r"\s*/\*\s*---\n(?P<head>.*?)\n\s*---\s*\*/[ \t]*\n", re.DOTALL)
WHEN = re.compile(r"^--\s*@when\s+(?P<condition>.+?)\s*$", re.MULTILINE)
FAST_UP_TO_SECONDS = 60.0
HEAD_BEGINS_ON_LINE = 2
BRANCHES = ("ColumnHead", "list[ColumnHead]", "[key]")
TIMEOUTS = {Lane.FAST: 1.0, Lane.SLOW: 10.0, Lane.HEAVY: 300.0, Lane.SAMPLER: 0.9, Lane.PROBE: 1.0}

Duration = Annotated[float, BeforeValidator(durations.seconds), Field(gt=0)]


class Head(BaseModel):
    """Closed: a key that we do not know is a mistake, not a wish."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)


HeadModel = TypeVar("HeadModel", bound=Head)


class ColumnHead(Head):
    """How one column becomes samples."""

    value: str
    labels: dict[str, str] = Field(default_factory=dict)
    scale: float = 1.0
    enum: dict[str, float] = Field(default_factory=dict)
    states: tuple[str, ...] = ()
    state_label: str = "state"
    integrate: bool = False


class TopHead(Head):
    """The sticky top-N of a collector."""

    key: tuple[str, ...] = Field(min_length=1)
    weight: str
    limit: PositiveInt = 50
    growth: bool = False


class AgreeHead(Head):
    """What every server of a cluster must say alike."""

    key: tuple[str, ...] = Field(min_length=1)
    replicas: str


class KeyValueHead(Head):
    """Which column of a SHOW names the fact, and which holds it."""

    key: str
    value: str


class CollectorHead(Head):
    """The head of sql/<engine>/metrics/*.sql."""

    description: str
    interval: Duration
    timeout: Duration | None = None
    lane: Literal["fast", "slow", "heavy", "sampler"] | None = None
    source: Origin = Origin.SQL
    scope: Scope = Scope.INSTANCE
    databases: tuple[str, ...] = Field(default=("*",), min_length=1)
    role: Role = Role.ANY
    max_series: PositiveInt = 1000
    needs: tuple[str, ...] = ()
    enabled: bool = True
    rows: KeyValueHead | None = None
    top: TopHead | None = None
    agree: AgreeHead | None = None
    accumulate: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    metrics: dict[str, ColumnHead | list[ColumnHead]] = Field(min_length=1)


class ProbeHead(Head):
    """The head of sql/<engine>/probes/*.sql."""

    description: str
    grant: dict[str, str] = Field(min_length=1)


class QuestionHead(Head):
    """The head of sql/<engine>/jobs/*.sql."""

    description: str
    timeout: Duration = 1.0
    rows: KeyValueHead | None = None
    needs: tuple[str, ...] = ()


def split(text: str, where: str) -> tuple[dict[str, object], tuple[Variant, ...]]:
    """The head as plain values and the variants. Raise CatalogueError naming `where`."""
    match = HEAD.match(text)
    if match is None:
        raise fault(where, "no head", "begin the file with /* --- on a line, YAML, and --- */ on a line")
    try:
        head = strict_yaml.load(match["head"])
    except yaml.YAMLError as error:
        raise fault(where, f"the head is not YAML: {strict_yaml.problem(error, HEAD_BEGINS_ON_LINE)}") from None
    if not isinstance(head, dict):
        raise fault(where, "the head is not a mapping")
    return head, tuple(_variants(text[match.end() :], where))


def _variants(body: str, where: str) -> Iterator[Variant]:
    pieces = WHEN.split(body)
    if len(pieces) > 1 and _sql(pieces[0]):
        raise fault(where, "SQL stands before the first @when", "give that SQL a condition of its own")
    conditional = list(zip(pieces[1::2], pieces[2::2], strict=True))
    for condition, sql in conditional or [("", body)]:
        try:
            conditions.parse(condition)
        except ValueError as error:
            raise fault(where, str(error)) from None
        if not _sql(sql):
            raise fault(where, f"no SQL for @when {condition}" if condition else "no SQL after the head")
        yield Variant(condition, _sql(sql))


def _sql(text: str) -> str:
    """Without comment lines around it, and without the semicolon that a DBA pastes."""
    lines = [line for line in text.strip().splitlines() if not line.lstrip().startswith("--")]
    return "\n".join(lines).strip().rstrip(";").strip()


def fault(where: str, what: str, mend: str = "") -> CatalogueError:
    return CatalogueError([Fault(where, what, mend)])


def validated(model: type[HeadModel], head: dict[str, object], where: str) -> HeadModel:
    """Read a head's values. Raise CatalogueError with one Fault per mistake."""
    try:
        return model.model_validate(head)
    except ValidationError as error:
        raise CatalogueError(mistakes(error, where)) from None


def mistakes(error: ValidationError, where: str) -> list[Fault]:
    """One Fault per key: of `one column or a list of them`, only what was meant is told."""
    found = [(_keys(mistake["loc"]), mistake) for mistake in error.errors()]
    deeper = {keys[:depth] for keys, _ in found for depth in range(len(keys))}
    told: dict[tuple[str, ...], Fault] = {}
    for keys, mistake in found:
        if mistake["loc"][-1:] and mistake["loc"][-1] in BRANCHES and keys in deeper:
            continue
        what, mend = wording.words(mistake)
        told.setdefault(keys, Fault(where, f"{'.'.join(keys)}: {what}" if keys else what, mend))
    return list(told.values())


def _keys(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """As they are written: without the branches of a union, and without [key]."""
    return tuple(str(step) for step in location if step not in BRANCHES)
