"""Deadlines in the time that the host gave: what it kept back from us, nobody had to work in."""

from __future__ import annotations

import subprocess
import time

from benchmarks import proc

LONGEST = 8  # times its seconds, however little was given: a test ends


class Patience:
    """So many seconds of a machine that works; on one that stands still, longer.

    Of the time between two looks, only the share counts that the host gave of what was wanted here (`/proc/stat`). On a
    machine of one's own that is all of it.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._spent_seconds = 0.0
        self._begin = self._seen = time.monotonic()
        self._cpu = proc.machine_cpu()

    @property
    def is_over(self) -> bool:
        """Whether the time is up. Ask often: each look settles what the time since the one before was worth."""
        now, cpu = time.monotonic(), proc.machine_cpu()
        self._spent_seconds += (now - self._seen) * (1 - proc.kept_share(self._cpu, cpu))
        self._seen, self._cpu = now, cpu
        return self._spent_seconds > self.seconds or now - self._begin > LONGEST * self.seconds


def ended(process: subprocess.Popen[bytes], seconds: float) -> int:
    """The exit code of a process that ends within so much patience; subprocess.TimeoutExpired where it does not."""
    patience = Patience(seconds)
    while True:
        try:
            return process.wait(0.05)
        except subprocess.TimeoutExpired:
            if patience.is_over:
                raise
