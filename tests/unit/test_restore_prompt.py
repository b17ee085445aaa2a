"""The one question that a restore asks, at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys

import pytest

STORY = """
import asyncio
from dbwatch.cli import restore
from dbwatch.cli.restore_wish import Wish
from dbwatch.errors import UsageError

async def main():
    restore.cancel_at_sigterm()
    try:
        restore._confirm(Wish("pg1"))
    except UsageError as error:
        print(error)
    else:
        print("went on")

asyncio.run(main())
"""


@pytest.mark.parametrize("way", ["control-c", "control-d", "n", "y"])
def test_whoever_ends_the_question_has_said_no(way: str) -> None:
    """asyncio only notes a first Ctrl-C: the question seemed to hang. Ctrl-D was a traceback."""
    keyboard, screen = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", STORY], stdin=screen, stdout=screen, stderr=screen) as asking:
        os.close(screen)
        shown = read_until(keyboard, b"[y/N] ")
        if way == "control-c":
            while not select.select([keyboard], [], [], 0.5)[0]:  # one that comes just before it reads is lost
                asking.send_signal(signal.SIGINT)
        else:
            os.write(keyboard, {"control-d": b"\x04"}.get(way, way.encode() + b"\n"))
        shown = read_until(keyboard, b"went on" if way == "y" else b"nothing was done")
        assert 0 == asking.wait(20), shown
    os.close(keyboard)


def read_until(keyboard: int, end: bytes) -> bytes:
    shown = b""
    while end not in shown:
        try:
            shown += os.read(keyboard, 4096)
        except OSError:  # the other end is closed
            raise AssertionError(shown.decode()) from None
    return shown
