"""Client programs: what `--version` prints, which one may speak to a server, and what compresses its dump."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from dbwatch.core.backups.model import Codec, JobReason
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

POSTGRES, MYSQL, MARIADB = "postgres", "mysql", "mariadb"
ONE_NUMBER_FROM = 10  # PostgreSQL's major version is one number since then
NUMBERS = r"\d+(?:\.\d+)*"
# pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1); pg_dump (PostgreSQL) 19beta1; pg_dump (EnterpriseDB) 15.2.0
IS_POSTGRES = re.compile(
    rf"^(?P<program>\S+) \((?:PostgreSQL|EnterpriseDB)\) (?P<version>{NUMBERS})(?P<pre>(?:alpha|beta|rc|devel)\d*)?"
)
# mariadb-dump from 11.4.2-MariaDB, client 10.19 for Linux; mysqldump  Ver 10.19 Distrib 10.11.6-MariaDB, for debian;
# mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian; mysqldump  Ver 10.13 Distrib 5.7.44, for Linux; Ver 9.5.0 for x
IS_MYSQL = re.compile(
    rf"^(?P<program>\S+) +(?:from|Ver(?: {NUMBERS} Distrib)?) (?P<version>{NUMBERS})"
    r"(?P<pre>-?(?:alpha|beta|rc|dmr|m\d)\d*)?"
)
# *** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***; zstd command line interface 64-bits v1.4.8; gzip 1.12
IS_ZSTD = re.compile(rf"^\W*(?:Zstandard|zstd)\b.*?\bv?(?P<version>\d{NUMBERS[2:]})(?:,|\s|$)", re.IGNORECASE)
IS_OTHER = re.compile(rf"^(?P<program>[\w.-]+) v?(?P<version>{NUMBERS})\b")
PREFERENCE = (Codec.ZSTD, Codec.GZIP)


class Versioned(Protocol):
    """A program that was asked for its version."""

    @property
    def version(self) -> tuple[int, ...]: ...

    @property
    def version_text(self) -> str: ...


T = TypeVar("T", bound=Versioned)


@dataclass(frozen=True, slots=True)
class ClientVersion:
    """What a program says of itself. `flavour` is empty for what belongs to no server."""

    program: str
    flavour: str
    version: tuple[int, ...]
    text: str
    is_prerelease: bool = False


@dataclass(frozen=True, slots=True)
class CodecChoice:
    """`piped`: by a program behind the client, because the client itself cannot."""

    codec: Codec
    piped: bool = False


def parse_version(output: str) -> ClientVersion:
    """The first line that tells a version. Raise JobError(CLIENT_MISSING): what it is cannot be known."""
    for line in output.strip().splitlines():
        if found := _parsed(line.strip()):
            return found
    raise JobError(JobReason.CLIENT_MISSING, "a program does not tell its version: is it what its name says?")


def _parsed(line: str) -> ClientVersion | None:
    if found := IS_POSTGRES.match(line):
        return _client(found, POSTGRES)
    if found := IS_MYSQL.match(line):
        return _client(found, MARIADB if "mariadb" in line.lower() else MYSQL)
    if found := IS_ZSTD.match(line):
        return ClientVersion("zstd", "", _numbers(found["version"]), found["version"])
    if found := IS_OTHER.match(line):
        return ClientVersion(found["program"], "", _numbers(found["version"]), found["version"])
    return None


def _client(found: re.Match[str], flavour: str) -> ClientVersion:
    before = found["pre"] or ""
    program = found["program"].rpartition("/")[2]
    return ClientVersion(program, flavour, _numbers(found["version"]), found["version"] + before, bool(before))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def series(flavour: str, version: tuple[int, ...]) -> tuple[int, ...]:
    """What must not be older than the server's: 18; 9.6; 8.4; 10.11."""
    is_one = flavour == POSTGRES and bool(version) and version[0] >= ONE_NUMBER_FROM
    return version[:1] if is_one else version[:2]


def choose(
    candidates: Iterable[T], flavour: str, server_version: tuple[int, ...], *, same_series_first: bool = False
) -> T:
    """The newest that is not older than the server. `candidates` are of the server's flavour, or can speak to it.

    `same_series_first`: the newest of the server's own series, else of the next one: its dumps can be restored into
    such a server, while a newer client may write what an older server does not know.

    Raise JobError(CLIENT_MISSING), JobError(CLIENT_OLDER): an older one may leave out what it does not know.
    """
    there = list(candidates)
    wanted = series(flavour, server_version)
    able = [each for each in there if series(flavour, each.version) >= wanted]
    if not able:
        _refuse(there, ".".join(map(str, wanted)))
    if same_series_first:
        nearest = min(series(flavour, each.version) for each in able)
        able = [each for each in able if series(flavour, each.version) == nearest]
    return max(able, key=lambda each: each.version)


def _refuse(there: list[T], wanted: str) -> None:
    if not there:
        raise JobError(
            JobReason.CLIENT_MISSING, f"no client program of version {wanted} or newer is here: install its package"
        )
    best = max(there, key=lambda each: each.version)
    raise JobError(
        JobReason.CLIENT_OLDER,
        f"the newest client here is {best.version_text} and the server is {wanted}: install the client of {wanted}, "
        "an older one may leave out what it does not know",
    )


def choose_codec(
    wanted: Codec | None, client: Collection[Codec], piped: Collection[Codec], *, streamed: bool = False
) -> CodecChoice:
    """`client`: what the dump program was proven to do; `piped`: for which a program is here that reads its stream.

    `streamed`: the dump is a stream anyway, since it will be encrypted. Raise JobError(CLIENT_MISSING) for a codec
    that was asked for and cannot be had.
    """
    if wanted is Codec.NONE:
        return CodecChoice(Codec.NONE)
    for codec in (wanted,) if wanted else PREFERENCE:
        if codec in client and not (streamed and codec in piped):
            return CodecChoice(codec)
        if codec in piped:
            return CodecChoice(codec, piped=True)
    if wanted:
        raise JobError(JobReason.CLIENT_MISSING, f"codec {wanted}: neither the dump program nor a program {wanted} can")
    return CodecChoice(Codec.NONE)
