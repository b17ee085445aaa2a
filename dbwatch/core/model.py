"""The vocabulary: everything that crosses a wall between two rooms is one of these values.

All are frozen and picklable. Times are Unix seconds (float), durations seconds, sizes bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from dbwatch.errors import EngineError, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Agreement", "Answer", "Block", "Collector", "Column", "Facts", "Family", "FamilyType", "Identity", "Lane",
    "Origin", "Probe", "Query", "Question", "Reason", "Role", "Rows", "Scope", "Snapshot", "Variant",
]  # fmt: skip


class Role(StrEnum):
    """What an instance is right now; `ANY` only ever stands in a collector's head."""

    ANY = "any"
    PRIMARY = "primary"
    REPLICA = "replica"


class Lane(StrEnum):
    """Which session of an instance asks: one lane never waits for another."""

    FAST = "fast"
    SLOW = "slow"
    HEAVY = "heavy"
    SAMPLER = "sampler"
    PROBE = "probe"


class Scope(StrEnum):
    """Asked once of the instance, or once in each of its databases."""

    INSTANCE = "instance"
    DATABASE = "database"


class Origin(StrEnum):
    """What a collector's rows are: the server's answer, or what this machine shows of the places it names."""

    SQL = "sql"
    HOST = "host"


class FamilyType(StrEnum):
    """The Prometheus type of a family."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family, from sql/families.yml: its name is never built from a string that a server sent."""

    name: str
    type: FamilyType
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    engines: tuple[str, ...] = ()  # empty: the daemon's own fact, given for every engine


@dataclass(frozen=True, slots=True)
class Identity:
    """The labels that every series of an instance carries."""

    db_instance: str
    engine: str
    env: str = ""
    service: str = ""
    team: str = ""

    def labels(self) -> dict[str, str]:
        return {
            "db_instance": self.db_instance,
            "engine": self.engine,
            "env": self.env,
            "service": self.service,
            "team": self.team,
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """What a session learned of its server: it decides which variant of a collector is asked."""

    flavour: str  # postgres, mysql, mariadb, percona
    version: tuple[int, ...]  # (15, 4); (10, 11, 6)
    version_text: str
    role: Role
    edition: str = ""
    started_at: float | None = None
    clock: float | None = None  # the server's Unix time when it answered
    system_identifier: str = ""  # the same for a primary and its standbys
    databases: frozenset[str] = frozenset()  # all that there are; empty: not known
    settings: Mapping[str, str] = field(default_factory=dict)  # what an @when condition may name: performance_schema
    extensions: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # of the database asked
    probes: Mapping[str, bool] = field(default_factory=dict)  # privilege probes: name -> proven visible


@dataclass(frozen=True, slots=True)
class Query:
    """SQL as it is sent, with what bounds it."""

    name: str  # goes into a comment and into the logs
    sql: str
    timeout_seconds: float
    columns: tuple[str, ...] = ()  # what will be read; empty: everything. Lets an engine fetch column-wise


@dataclass(frozen=True, slots=True)
class Rows:
    """A result, column-major: `columns[i]` holds every row's value of `names[i]`."""

    names: tuple[str, ...]
    columns: tuple[Sequence[object], ...]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def column(self, name: str) -> Sequence[object]:
        """Raise a shape error where the result has no such column."""
        try:
            return self.columns[self.names.index(name)]
        except ValueError:
            raise EngineError(
                Reason.SHAPE, f"the result has no column {name!r}, only {', '.join(self.names)}"
            ) from None

    def dicts(self) -> list[dict[str, object]]:
        return [dict(zip(self.names, row, strict=True)) for row in zip(*self.columns, strict=True)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question gave; `note`: what it lacks for good, `error`: what of it did not answer this time."""

    rows: Rows
    note: str = ""
    error: EngineError | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One SQL text of a file and the condition under which it is the one."""

    condition: str  # as written after @when; empty: always
    sql: str


@dataclass(frozen=True, slots=True)
class Column:
    """How one column of a result becomes samples of a family."""

    family: str
    value: str  # a column's name, or "=1" for a constant
    labels: tuple[tuple[str, str], ...] = ()  # label -> column, or "=constant"
    scale: float = 1.0
    enum: tuple[tuple[str, float], ...] = ()  # text -> value, compared without case
    states: tuple[str, ...] = ()  # a state set: one 0/1 sample for each of these, under the label `state_label`
    state_label: str = "state"
    integrate: bool = False  # value x seconds since the last sample, added up (the sampler's counters)


@dataclass(frozen=True, slots=True)
class TopN:
    """Keep the `limit` items that weigh most, stickily; the others add up in `_other`."""

    key: tuple[str, ...]  # the columns that name an item
    weight: str  # the column that ranks it
    limit: int = 50
    growth: bool = False  # rank by what the weight grew since the last review (a counter), not by its value


@dataclass(frozen=True, slots=True)
class Agreement:
    """A row counts only where every server of the cluster gives it: a primary asks its standbys."""

    key: tuple[str, ...]  # the columns that name a row; one whose names are all NULL is each server's own
    replicas: str  # the column that tells how many replicas are connected


@dataclass(frozen=True, slots=True)
class Probe:
    """A proof that something is visible to us, and the GRANT that makes it so."""

    name: str
    engine: str
    description: str
    variants: tuple[Variant, ...]
    grants: tuple[tuple[str, str], ...]  # flavour (or "any") -> statement with {user}


@dataclass(frozen=True, slots=True)
class Question:
    """SQL that is asked for a person or for the daemon itself, not for a metric (sql/<engine>/jobs)."""

    name: str
    engine: str
    description: str
    variants: tuple[Variant, ...]
    timeout_seconds: float = 1.0
    key_value: tuple[str, str] | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collector:
    """One file of sql/<engine>/metrics: what is asked, how often, and what becomes of the answer."""

    name: str
    engine: str
    description: str
    metrics: tuple[Column, ...]
    variants: tuple[Variant, ...]
    interval_seconds: float
    timeout_seconds: float
    lane: Lane
    scope: Scope = Scope.INSTANCE
    role: Role = Role.ANY
    max_series: int = 1000
    needs: tuple[str, ...] = ()
    top: TopN | None = None
    agree: Agreement | None = None
    key_value: tuple[str, str] | None = None  # rows of a SHOW: the key's column, the value's column
    accumulate: tuple[str, ...] = ()  # the columns that name a raw row: counters are then running sums of our own
    accounts: tuple[str, ...] = ()  # columns whose values pass through the list of service accounts
    applications: tuple[str, ...] = ()  # and through that of applications
    enabled: bool = True
    path: str = ""
    source: Origin = Origin.SQL
    databases: tuple[str, ...] = ("*",)  # scope database: only in those whose name fits one of these patterns

    @property
    def families(self) -> frozenset[str]:
        return frozenset(column.family for column in self.metrics)


@dataclass(frozen=True, slots=True)
class Block:
    """Samples of one family: label values column-major, one value a sample. Lines are derived from it."""

    family: str
    label_names: tuple[str, ...]
    label_values: tuple[tuple[str, ...], ...]
    values: Sequence[float]
    suffix: str = ""  # _bucket, _sum, _count of a histogram

    def __len__(self) -> int:
        return len(self.values)

    def samples(self) -> list[tuple[dict[str, str], float]]:
        keys = zip(*self.label_values, strict=True) if self.label_names else (() for _ in self.values)
        return [
            (dict(zip(self.label_names, key, strict=True)), value) for key, value in zip(keys, self.values, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one collector saw of one instance, or why it saw nothing: an error replaces data."""

    instance: str
    collector: str
    taken_at: float
    seconds: float
    blocks: tuple[Block, ...] = ()
    error: EngineError | None = None
    expires_at: float = float("inf")  # the store stops giving `blocks` from then on
    dropped: int = 0  # series over the budget, counted and left out

    @property
    def series(self) -> int:
        return sum(map(len, self.blocks))
