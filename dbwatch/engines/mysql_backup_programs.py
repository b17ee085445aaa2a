"""Which programs dump and restore a MySQL or MariaDB: found, asked for flavour, version and options, and tried."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Codec, JobReason
from dbwatch.core.conditions import parse_version
from dbwatch.engines.programs import asked, on_path, tried
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbwatch.engines.backing import Program

MARIADB, MYSQL = "mariadb", "mysql"
DUMP, CLIENT, SERVER, INSTALL = "dump", "client", "server", "install"
# By role and flavour; which flavour a `mysqldump` really is, only it can say: Debian's is MariaDB's.
NAMES = {
    (DUMP, MARIADB): ("mariadb-dump", "mysqldump"),
    (DUMP, MYSQL): ("mysqldump",),
    (CLIENT, MARIADB): ("mariadb", "mysql"),
    (CLIENT, MYSQL): ("mysql",),
    (SERVER, MARIADB): ("mariadbd", "mysqld"),
    (SERVER, MYSQL): ("mysqld",),
    (INSTALL, MARIADB): ("mariadb-install-db", "mysql_install_db"),
}
USUAL = tuple(Path("/", *parts) for parts in (("usr", "bin"), ("usr", "sbin"), ("usr", "local", "bin")))
OWN = {MARIADB: "MariaDB", MYSQL: "MySQL"}
MEND = "install the client of that version, or name its directory in backups.mysql_programs"
SERIES = 2  # parts of a version that make one: 10.11, 8.4
CODEC_PROGRAMS = {Codec.ZSTD: "zstd", Codec.GZIP: "gzip"}
MAGIC = {Codec.ZSTD: b"\x28\xb5\x2f\xfd", Codec.GZIP: b"\x1f\x8b"}
REQUIRED = (
    "--single-transaction",
    "--quick",
    "--routines",
    "--events",
    "--triggers",
    "--hex-blob",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
    "--tz-utc",
)
# Only where the client knows them. A table locked by the dump's own words cannot ask the sequence that a default names.
WELCOME = {MARIADB: ("--no-tablespaces", "--skip-add-locks"), MYSQL: ("--set-gtid-purged=OFF", "--no-tablespaces")}
OLD_SERVER_OF_MYSQL = (8,)
NO_HISTOGRAMS = "--column-statistics=0"


@dataclass(frozen=True, slots=True)
class Tool:
    """A program with the flavour that it says it is of."""

    program: Program
    flavour: str


def judged(program: Program) -> Tool:
    """`Ver 10.19 Distrib 10.11.19-MariaDB`, `from 11.8.3-MariaDB`, `Ver 9.4.0 for Linux`: whose it is, and of
    which version.
    """
    text = program.version_text
    if "mariadb" not in text.lower():
        found = re.search(r"Ver\s+(\d[\d.]*)", text)
        return Tool(replace(program, version=parse_version(found[1]) if found else program.version), MYSQL)
    found = re.search(r"(\d+\.\d+\.\d+)-MariaDB", text, re.IGNORECASE)
    return Tool(replace(program, version=parse_version(found[1]) if found else program.version), MARIADB)


async def found(role: str, flavour: str, first: Iterable[Path]) -> list[Program]:
    """Every program of a role that runs and is of the flavour, the operator's own first."""
    paths = [directory / name for directory in (*first, *USUAL) for name in NAMES[role, flavour]]
    real = {path.resolve(): path for path in reversed(paths) if path.is_file()}
    tools = [judged(program) for path in reversed(list(real.values())) if (program := await asked(path))]
    return [tool.program for tool in tools if tool.flavour == flavour]


async def servers(flavour: str, wanted: tuple[int, ...], first: Iterable[Path]) -> tuple[Program, ...]:
    """What a scratch server is made and run by. Raise JobError."""
    server = fitting(await found(SERVER, flavour, first), flavour, wanted, "server")
    if flavour == MYSQL:
        return (server,)
    places = (server.path.parent, server.path.parent.parent / "bin", *USUAL)
    scripts = [place / name for name in NAMES[INSTALL, flavour] for place in places]
    install = next((path for path in scripts if path.is_file()), None)
    if install is None:
        raise JobError(JobReason.CLIENT_MISSING, f"{server.path} stands without {NAMES[INSTALL, flavour][0]}: {MEND}")
    return (server, replace(server, name=install.name, path=install))  # a script, which tells no version


def fitting(programs: Sequence[Program], flavour: str, server: tuple[int, ...], what: str) -> Program:
    """The oldest series that knows all of the server. Raise JobError."""
    wanted = ".".join(map(str, server[:SERIES]))
    if not programs:
        raise JobError(JobReason.CLIENT_MISSING, f"no {what} of {OWN[flavour]} was found (server: {wanted}): {MEND}")
    enough = [each for each in programs if each.version[:SERIES] >= server[:SERIES]]
    if not enough:
        newest = max(programs, key=lambda each: each.version)
        have = ".".join(map(str, newest.version[:SERIES]))
        raise JobError(
            JobReason.CLIENT_OLDER, f"{newest.path} is of {OWN[flavour]} {have}, the server {wanted}: {MEND}"
        )
    return min(enough, key=lambda each: each.version[:SERIES])


async def client(flavour: str, server: tuple[int, ...], first: Iterable[Path]) -> tuple[Program, ...]:
    """What dumps, with what it can be packed by; what speaks; what packs. Raise JobError."""
    dump, speaks = [
        fitting(await found(role, flavour, first), flavour, server, NAMES[role, flavour][0]) for role in (DUMP, CLIENT)
    ]
    packers = await compressors()
    able = frozenset({Codec.NONE, *(codec for codec, _ in packers)})
    return (replace(dump, codecs=able), speaks, *(program for _, program in packers))


async def compressors() -> list[tuple[Codec, Program]]:
    """Tried: a program that compresses a few bytes as it should."""
    able = []
    for codec, name in CODEC_PROGRAMS.items():
        path = on_path(name)
        if path is not None and (program := await asked(path)):
            said = await tried(path, "-1", "-c", stdin=b"dbwatch")
            if said.returncode == 0 and said.output.startswith(MAGIC[codec]):
                able.append((codec, program))
    return able


def chosen_codec(wanted: Codec | None, able: Iterable[Codec]) -> Codec:
    """Raise JobError where the one that was asked for is not here."""
    best = next((codec for codec in (Codec.ZSTD, Codec.GZIP) if codec in able), Codec.NONE)
    if wanted is not None and wanted is not Codec.NONE and wanted not in able:
        name = CODEC_PROGRAMS[wanted]
        raise JobError(JobReason.CLIENT_MISSING, f"codec {wanted} needs the program {name}: install it, or set another")
    return best if wanted is None else wanted


async def flags(dump: Program, flavour: str, server: tuple[int, ...]) -> tuple[str, ...]:
    """What this client is told; what it does not know it is not told. Raise JobError where it lacks what must be."""
    known = (await tried(dump.path, "--no-defaults", "--help")).text
    return flags_known(known, flavour, server, str(dump.path))


def flags_known(known: str, flavour: str, server: tuple[int, ...], path: str) -> tuple[str, ...]:
    lacking = [flag for flag in REQUIRED if not _knows(known, flag)]
    if lacking:
        raise JobError(JobReason.CLIENT_OLDER, f"{path} does not know {lacking[0].partition('=')[0]}: {MEND}")
    more = list(WELCOME[flavour])
    if flavour == MYSQL and server < OLD_SERVER_OF_MYSQL:
        more.append(NO_HISTOGRAMS)
    return (*REQUIRED, *(flag for flag in more if _knows(known, flag)))


def _knows(known: str, flag: str) -> bool:
    return re.search(rf"{re.escape(flag.partition('=')[0])}(?![\w-])", known) is not None


def named(programs: Iterable[Program], role: str, flavour: str) -> Program:
    """One of those that were found before. Raise JobError."""
    names = NAMES[role, flavour]
    program = next((each for each in programs if each.name in names), None)
    if program is None:
        raise JobError(JobReason.CLIENT_MISSING, f"no {names[0]} among the programs: {MEND}")
    return program


def packer(programs: Iterable[Program], codec: Codec) -> str:
    """The path of what packs and unpacks."""
    name = CODEC_PROGRAMS[codec]
    return str(next((each.path for each in programs if each.name == name), name))
