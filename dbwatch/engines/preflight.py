"""What is known before a byte of a dump is written; what stands in its way, with what mends it as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbwatch.core.backups.model import Codec, JobReason, ServerIdentity
    from dbwatch.engines.backing import Program


@dataclass(frozen=True, slots=True)
class Statement:
    """One that an administrator runs; `database`: only there, '': it holds wherever it is run."""

    text: str
    database: str = ""


@dataclass(frozen=True, slots=True)
class PreflightFault:
    """Why the dump must not begin. Nobody reads the statements out of the line: names in it hold whatever they like."""

    reason: JobReason
    line: str  # for people, with the remedy
    statements: tuple[Statement, ...] = ()
    hides: str = ""  # what nobody can see before it is mended


@dataclass(frozen=True, slots=True)
class Preflight:
    """What is known before a byte is written. `faults` non-empty: the dump must not begin."""

    server: ServerIdentity
    databases: tuple[tuple[str, int], ...]  # name, size in bytes
    programs: tuple[Program, ...]
    codec: Codec
    format: str
    faults: tuple[PreflightFault, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        return sum(size for _, size in self.databases)
