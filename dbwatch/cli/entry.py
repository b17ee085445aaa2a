"""From the words of a command line to an exit code: 0, 1 (a fault told in lines), 2 (wrong usage), 130 (Ctrl-C).

`check` is a monitoring plugin and has codes of its own: whatever goes wrong is UNKNOWN (3), and never a traceback.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.errors import DbwatchError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

FAILED, MISUSED, INTERRUPTED, UNKNOWN = 1, 2, 130, 3
PLUGIN = "check"


@dataclass(slots=True)
class Answer:
    """What `check` found: apart from exit codes, because 2 is CRITICAL to a plugin and wrong usage to a parser."""

    code: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Whatever its reader can mend is told in lines, without a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    is_plugin = words[:1] == [PLUGIN]
    if is_plugin:
        sys.excepthook = unknown
    try:
        code = _run(words, is_plugin=is_plugin)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return UNKNOWN if is_plugin else INTERRUPTED
    except BrokenPipeError:
        return _reader_left()
    return code


def _run(words: Sequence[str], *, is_plugin: bool) -> int:
    from typer.main import get_command

    from dbwatch.cli.commands import app

    answer = Answer()
    try:
        get_command(app)(list(words), prog_name="dbwatch", obj=answer)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else FAILED
        return _misused_plugin() if is_plugin and code else code or answer.code
    except DbwatchError as error:
        print(f"dbwatch: {error}", file=sys.stderr)
        return MISUSED if isinstance(error, UsageError) else FAILED
    return answer.code


def _misused_plugin() -> int:
    print("DBWATCH UNKNOWN - wrong usage: see dbwatch check --help")
    return UNKNOWN


def unknown(_kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
    """The hook for what nobody foresaw in a plugin: a bug is told, and counts as UNKNOWN."""
    print(f"DBWATCH UNKNOWN - internal error: {type(error).__name__}", flush=True)
    os._exit(UNKNOWN)


def _reader_left() -> int:
    """`dbwatch ask pg1 | head`: nobody reads any more. The interpreter must not complain when it flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
