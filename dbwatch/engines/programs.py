"""Asking a program something short: its version, its options, whether it can do a thing."""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.core.conditions import parse_version
from dbwatch.engines.backing import Program

if TYPE_CHECKING:
    from collections.abc import Callable

TRY_SECONDS = 20.0
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class Said:
    """What a short program answered."""

    returncode: int
    output: bytes
    error: str

    @property
    def text(self) -> str:
        return self.output.decode(errors="replace").strip()


async def tried(*argv: str | Path, stdin: bytes | None = None, seconds: float = TRY_SECONDS) -> Said:
    """Run something short to its end; whoever waits no longer takes it along."""
    process = await asyncio.create_subprocess_exec(
        *map(str, argv),
        stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=ENVIRONMENT,
    )
    try:
        async with asyncio.timeout(seconds):
            output, error = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return Said(process.returncode or 0, output, error.decode(errors="replace").strip())


def version_in(text: str) -> tuple[int, ...]:
    """The first version of several numbers that a program tells of itself; empty: it tells none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return parse_version(found[0]) if found else ()


async def asked(path: Path, version_of: Callable[[str], tuple[int, ...]] = version_in) -> Program | None:
    """A program and its version, None where it does not run or tells none."""
    try:
        said = await tried(path, "--version")
    except (OSError, TimeoutError):
        return None
    version = version_of(said.text)
    return None if said.returncode or not version else Program(path.name, path, version, said.text.partition("\n")[0])


def on_path(name: str) -> Path | None:
    found = shutil.which(name, path=PATH)
    return Path(found) if found else None
