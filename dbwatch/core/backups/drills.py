"""The words of drills: which disaster was rehearsed, how long each phase took, what was lost, what was proven.

A drill succeeded when nothing stopped it and every one of its checks holds. Whether it was quick enough is told apart:
a restore that works but takes too long is a promise that is not kept, not a broken backup.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from dbwatch.core.backups.model import JobReason, Pairs, ProofName
from dbwatch.core.showing.humanise import AHEAD_SECONDS
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LOSS_OF_MYSQL = "01_perte_instance_mysql"


class Scenario(StrEnum):
    """As the handbook names them: docs/scenarios_pra/<value>.md; of other engines `handbook` knows the page."""

    LOSS = "01_perte_instance_postgres"
    FULL = "02_restoration_from_last_full"
    TABLE = "03_corruption_table_demande_rdv"

    @property
    def number(self) -> str:
        return self.value[:2]


class DrillPhase(StrEnum):
    """In this order. What is prepared is not part of the recovery, and not counted."""

    PREPARE = "prepare"  # the scratch production and its loss
    DETECT = "detect"  # until the damage is known
    FETCH = "fetch"  # the set is found, and every byte of it read and proven
    INITIALISE = "initialise"  # a new server, or a database beside the damaged one
    RESTORE = "restore"
    SWAP = "swap"  # what was restored takes the place of what was damaged
    CHECK = "check"  # pages, rows and objects
    READY = "ready"  # the application's first question is answered


class RpoEvidence(StrEnum):
    """How it is known what was lost."""

    HEARTBEAT = "heartbeat"  # a row written each moment, read back
    SNAPSHOT = "snapshot"  # the moment that the set holds
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DrillCheck:
    """One thing that was proven, or not. `name` and `values` fill the texts of reports; never a value of a row."""

    name: str
    holds: bool
    values: Pairs = ()
    detail: str = ""  # one line, where there is no text for it
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrillResult:
    """One rehearsal of one disaster for one instance."""

    scenario: Scenario
    instance: str
    engine: str
    started_at: float
    ended_at: float
    phases: tuple[tuple[str, float], ...] = ()  # DrillPhase, seconds; in order
    backup: str = ""  # the id of the set
    backup_at: float | None = None  # the moment that it holds
    backup_level: int = -1  # the proof that it had before
    backup_proof: ProofName | None = None  # the same: two proofs share a level
    backup_bytes: int = 0
    database_bytes: int = 0
    server: str = ""  # version of the source
    restored_with: str = ""  # version of the scratch server
    table: str = ""  # of scenario 03
    lost_seconds: float | None = None  # what was lost in the rehearsal
    rpo_evidence: RpoEvidence = RpoEvidence.NONE
    exposure_seconds: float | None = None  # how old the last usable set of the source was when the disaster struck
    rto_target_seconds: float | None = None
    rpo_target_seconds: float | None = None
    checks: tuple[DrillCheck, ...] = ()
    reason: JobReason | None = None
    detail: str = ""  # why it stopped, in one line
    notes: tuple[str, ...] = ()  # words of the texts of reports; what follows a colon fills their {why}
    beat_seconds: float | None = None  # the pace of the heartbeat
    tools: Pairs = ()

    @property
    def succeeded(self) -> bool:
        return self.reason is None and bool(self.checks) and all(check.holds for check in self.checks)

    @property
    def handbook(self) -> str:
        """The page of it for a person, without its ending: of a lost server each engine has one of its own."""
        return LOSS_OF_MYSQL if (self.scenario, self.engine) == (Scenario.LOSS, "mysql") else self.scenario.value

    @property
    def counted(self) -> tuple[tuple[str, float], ...]:
        """The phases of the recovery."""
        return tuple(each for each in self.phases if each[0] != DrillPhase.PREPARE)

    @property
    def rto_seconds(self) -> float | None:
        """From the loss until the application is served again; None where that was not reached."""
        return sum(seconds for _, seconds in self.counted) if self.succeeded else None

    @property
    def rpo_seconds(self) -> float | None:
        """What a real disaster at that moment would have cost: the worse of what was measured and how old the set was.

        None where neither is known.
        """
        return max((each for each in (self.lost_seconds, self.exposure_seconds) if each is not None), default=None)

    @property
    def meets_rto(self) -> bool | None:
        return _meets(self.rto_seconds, self.rto_target_seconds)

    @property
    def meets_rpo(self) -> bool | None:
        return _meets(self.rpo_seconds, self.rpo_target_seconds)

    @property
    def failed_checks(self) -> tuple[DrillCheck, ...]:
        return tuple(check for check in self.checks if not check.holds)


def since(seconds: float) -> float | None:
    """How long ago; None for what is of the future: a clock was wrong, then or now, and nothing can be told."""
    return max(0.0, seconds) if seconds >= -AHEAD_SECONDS else None


def standing(results: Sequence[DrillResult], within_seconds: float) -> DrillResult:
    """Of one scenario, what is told: the last that failed, until one succeeded on the same table; else the last.

    What failed longer ago is forgotten: by then each is to be played again anyway, and a table may be gone for good.
    """
    last = max(results, key=lambda each: each.ended_at)
    since = last.ended_at - within_seconds
    failed = [each for each in results if not each.succeeded and each.ended_at >= since and not _mended(each, results)]
    return max(failed or [last], key=lambda each: each.ended_at)


def _mended(failed: DrillResult, results: Iterable[DrillResult]) -> bool:
    """The table is named as it was wished for where the drill failed before it was chosen: in part, or not at all."""
    ending = f".{failed.table}" if failed.table else ""
    later = (each for each in results if each.succeeded and each.ended_at > failed.ended_at)
    return any(f".{each.table}".endswith(ending) for each in later)


def _meets(seconds: float | None, target_seconds: float | None) -> bool | None:
    """None where one of the two is not known."""
    return None if seconds is None or target_seconds is None else seconds <= target_seconds


def possible(engine: str) -> tuple[Scenario, ...]:
    """What can be played with the sets of an engine: only PostgreSQL's pages can be damaged and found so."""
    return tuple(Scenario) if engine == "postgres" else (Scenario.LOSS, Scenario.FULL)


def named(words: Iterable[str]) -> tuple[Scenario, ...]:
    """`01`, `02_restoration_from_last_full` ... in the order of the handbook. Raise ValueError with those there are."""
    wanted = {_scenario(word) for word in words}
    return tuple(each for each in Scenario if each in wanted)


def _scenario(word: str) -> Scenario:
    for each in Scenario:
        if word in (each.number, each.value, each.number.lstrip("0")):
            return each
    raise ValueError(f"no scenario {word!r}: there are {', '.join(f'{each.number} ({each})' for each in Scenario)}")


def dump(result: DrillResult) -> str:
    """As JSON, with what can be derived beside it: for people's own tools."""
    derived = {
        "succeeded": result.succeeded,
        "rto_seconds": result.rto_seconds,
        "rpo_seconds": result.rpo_seconds,
        "meets_rto": result.meets_rto,
        "meets_rpo": result.meets_rpo,
    }
    return json.dumps({"version": 1, **asdict(result), "derived": derived}, indent=2, ensure_ascii=False) + "\n"


def parse(text: str) -> DrillResult:
    """Raise JobError(CORRUPT) for what is no result."""
    try:
        return TypeAdapter(DrillResult).validate_json(text)
    except ValidationError as error:
        keys = ", ".join(sorted({str(mistake["loc"][0]) for mistake in error.errors() if mistake["loc"]}))
        raise JobError(JobReason.CORRUPT, f"this is no report of a drill: {keys or 'it is not JSON'}") from None
