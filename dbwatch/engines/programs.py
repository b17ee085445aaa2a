"""Asking a program something short: its version, its options, whether it can do a thing."""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dbwatch.core.conditions import parse_version
from dbwatch.engines.backing import Program

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


async def asked(path: Path) -> Program | None:
    """A program and the first version that it names, None where it does not run."""
    try:
        said = await tried(path, "--version")
    except (OSError, TimeoutError):
        return None
    found = re.search(r"\d+(?:\.\d+)+", said.text)
    if said.returncode or found is None:
        return None
    return Program(path.name, path, parse_version(found[0]), said.text.partition("\n")[0])


def on_path(name: str) -> Path | None:
    found = shutil.which(name, path=PATH)
    return Path(found) if found else None
