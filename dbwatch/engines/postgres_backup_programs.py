"""Which programs dump and restore a PostgreSQL: found, asked for their version, and tried."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.core.backups.model import Codec, JobReason
from dbwatch.engines import programs
from dbwatch.engines.programs import tried
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbwatch.engines.backing import Program

# Where distributions put each major version by itself.
INSTALLATIONS = (("usr", "lib", "postgresql", "*", "bin"), ("usr", "pgsql-*", "bin"))
REACHED_THE_CONNECTION = ("connection to server", "could not connect to server")
NOWHERE = "/nonexistent"
MEND = "install the PostgreSQL client of that version, or name its directory in backups.postgres_programs"
ZSTD, UNSHARE, SETPRIV = "zstd", "unshare", "setpriv"


async def asked(path: Path) -> Program | None:
    """A program and its version, None where it does not run."""
    return await programs.asked(path, version_in)


def version_in(text: str) -> tuple[int, ...]:
    """The first version that a program tells of itself: 18.6, v1.5.4, 19beta1."""
    found = re.search(r"\d+", text)
    return programs.version_in(text) or ((int(found[0]),) if found else ())


def directories(first: Iterable[Path]) -> tuple[Path, ...]:
    """The operator's own first, then those of the distribution, the newest first, then PATH."""
    root = Path("/")
    distribution = [path for parts in INSTALLATIONS for path in root.glob(str(Path(*parts)))]
    newest = sorted(distribution, key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))], reverse=True)
    on_path = shutil.which("pg_dump")
    last = [Path(on_path).resolve().parent] if on_path else []
    return tuple(dict.fromkeys([*first, *newest, *last]))


async def installations(name: str, first: Iterable[Path]) -> list[Program]:
    """Every `name` that runs."""
    candidates = [directory / name for directory in directories(first)]
    found = [await asked(path) for path in candidates if path.is_file()]
    return [program for program in found if program is not None]


def fitting(found: Sequence[Program], major: int) -> Program | None:
    """Of the server's own major version where there is one, else of the next: what an older one does not know it leaves
    out, and a much newer one writes what an older server cannot read.
    """
    enough = [program for program in found if program.version[0] >= major]
    return min(enough, key=lambda program: (program.version[0], [-part for part in program.version]), default=None)


async def client(major: int, first: Iterable[Path]) -> Program:
    """The pg_dump for a server, with what it can compress by. Raise JobError where there is none."""
    found = await installations("pg_dump", first)
    if not found:
        raise JobError(JobReason.CLIENT_MISSING, f"no pg_dump was found for PostgreSQL {major}: {MEND}")
    chosen = fitting(found, major)
    if chosen is None:
        newest = max(found, key=lambda program: program.version)
        text = f"{newest.path} is of version {newest.version[0]}, the server of {major}"
        raise JobError(JobReason.CLIENT_OLDER, f"{text}: {MEND}")
    return replace(chosen, codecs=await codecs(chosen.path))


async def reader(major: int, first: Iterable[Path], inside: Codec = Codec.NONE) -> Program:
    """The pg_restore that understands what a pg_dump of that version wrote and compressed. Raise JobError."""
    found = await installations("pg_restore", first)
    chosen = fitting([program for program in found if await reads(program, inside)], major)
    if chosen is not None:
        return chosen
    if fitting(found, major) is not None:
        text = f"no pg_restore of version {major} or newer that was found can read {inside}"
        raise JobError(JobReason.CLIENT_MISSING, f"{text}: {MEND}, built with it, as the pg_dump was")
    raise JobError(JobReason.CLIENT_MISSING, f"no pg_restore of version {major} or newer was found: {MEND}")


async def reads(program: Program, inside: Codec) -> bool:
    """Whether an installation can decompress. Its pg_dump is asked: both were built with the same libraries."""
    if inside is not Codec.ZSTD:
        return True
    pg_dump = beside(program, "pg_dump")
    return pg_dump.is_file() and inside in await codecs(pg_dump)


def beside(program: Program, name: str) -> Path:
    """Another program of the same installation."""
    return program.path.with_name(name)


async def companion(program: Program, name: str) -> Program:
    found = await asked(beside(program, name))
    if found is None:
        raise JobError(JobReason.CLIENT_MISSING, f"{program.path} stands without {name} beside it: {MEND}")
    return found


async def codecs(pg_dump: Path) -> frozenset[Codec]:
    """Tried, never concluded from the version: one that refuses says so before it looks for a server."""
    wanted = {Codec.ZSTD: "zstd:1", Codec.GZIP: "1"}
    can = {codec for codec, option in wanted.items() if await _accepts(pg_dump, option)}
    return frozenset({Codec.NONE, *can})


async def _accepts(pg_dump: Path, option: str) -> bool:
    said = await tried(pg_dump, "--format=custom", f"--compress={option}", f"--host={NOWHERE}", "--no-password")
    complained = "compress" in said.error.lower()  # without zlib it only warns
    return not complained and any(words in said.error for words in REACHED_THE_CONNECTION)


async def on_path(name: str) -> Program | None:
    path = shutil.which(name)
    return await asked(Path(path)) if path else None


async def isolation() -> Program | None:
    """unshare(1), where we may give a scratch server a network of its own: one with nobody in it."""
    program = await on_path(UNSHARE)
    if program is None:
        return None
    said = await tried(program.path, "--net", "true")
    return None if said.returncode else program


async def scratch_server(
    major: int, first: Iterable[Path], extensions: Iterable[str]
) -> tuple[Program, tuple[str, ...]]:
    """The initdb of an installation that can hold what was dumped, and the extensions that it lacks."""
    found = [program for program in await installations("initdb", first) if program.version[0] >= major]
    whole = [program for program in found if not _lacks(program)]
    if not whole:
        text = f"no PostgreSQL server of version {major} or newer was found to restore into"
        text += f" ({found[0].path} stands without {_lacks(found[0])} beside it)" if found else ""
        raise JobError(
            JobReason.CLIENT_MISSING, f"{text}: install it, or name its directory in backups.postgres_programs"
        )
    enough = sorted(whole, key=lambda program: program.version[0])
    judged = [(program, await _lacking(program, extensions)) for program in enough]
    return next((each for each in judged if not each[1]), judged[0])


def _lacks(initdb: Program) -> str:
    """What an installation needs besides to be tried and run."""
    return next((name for name in ("postgres", "pg_config") if not beside(initdb, name).is_file()), "")


async def _lacking(initdb: Program, extensions: Iterable[str]) -> tuple[str, ...]:
    directory = await extension_directory(initdb)
    return tuple(sorted(name for name in extensions if not (directory / f"{name}.control").is_file()))


async def extension_directory(program: Program) -> Path:
    said = await tried((await companion(program, "pg_config")).path, "--sharedir")
    return Path(said.output.decode().strip()) / "extension"
