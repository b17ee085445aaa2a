"""How late a process that does nothing else is woken up: what the host and the kernel took from everybody.

Run beside a measurement: where the idle process is late too, the daemon's lateness was not of its own making.
"""

from __future__ import annotations

import select
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks import quantiles

if TYPE_CHECKING:
    from collections.abc import Iterator

NAP_SECONDS = 0.01


class Idle:
    """The sleeping process, seen from the one that measures."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the idle process was started without pipes")
        self._asking, self._answers = process.stdin, process.stdout

    def milliseconds_late(self) -> float:
        """The 99th percentile since it was last asked."""
        self._asking.write("\n")
        self._asking.flush()
        return float(self._answers.readline())

    def end(self) -> None:
        self._asking.close()


@contextmanager
def beside() -> Iterator[Idle]:
    """One for the time of a measurement."""
    command = [sys.executable, "-m", "benchmarks.idle"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        idle = Idle(process)
        try:
            yield idle
        finally:
            idle.end()


def _nap() -> float:
    """Milliseconds beyond what was asked for."""
    began = time.perf_counter()
    time.sleep(NAP_SECONDS)
    return (time.perf_counter() - began - NAP_SECONDS) * 1000


def main() -> None:
    late: list[float] = []
    while True:
        late.append(_nap())
        if select.select([sys.stdin], [], [], 0)[0]:
            if not sys.stdin.readline():
                return
            print(quantiles.quantile(late, 0.99), flush=True)
            late.clear()


if __name__ == "__main__":
    main()
