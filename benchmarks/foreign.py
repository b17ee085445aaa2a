"""Programs of another Debian that were unpacked and not installed: each is run by that Debian's own loader."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# The program believes to stand where the wrapper stands: pg_dumpall looks for a pg_dump beside itself.
WRAPPER = '#!/bin/sh\nexec {loader} --argv0 "$0" {options} {program} "$@"\n'


def loading(root: Path) -> tuple[Path, list[Path]]:
    """The loader of what was unpacked there, and how it is told where that Debian's libraries are."""
    loader = next((root / "usr").glob("lib*/ld-linux-*.so.*"), root / "usr/lib64/ld-linux-x86-64.so.2")
    return loader, [Path("--library-path"), root / "usr/lib" / f"{platform.machine()}-linux-gnu"]


def wrapped(root: Path, programs: Iterable[Path], directory: Path) -> Path:
    """A directory in which these programs can be called as if they were installed."""
    loader, options = loading(root)
    for program in programs:
        script = directory / program.name
        script.write_text(WRAPPER.format(loader=loader, options=" ".join(map(str, options)), program=program))
        script.chmod(0o755)
    return directory
