"""How long to wait between two attempts. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class Pauses:
    """Doubled each time, and stretched or shortened by a quarter at random."""

    first_seconds: float = 15.0
    longest_seconds: float = 900.0  # for one letter that is put off
    unreachable_seconds: float = 60.0  # the longest while no relay talks to us: whoever is on call waits for that

    def letter(self, attempts: int, jitter: float) -> float:
        return self._pause(attempts, jitter, self.longest_seconds)

    def relays(self, failures: int, jitter: float) -> float:
        return self._pause(failures, jitter, self.unreachable_seconds)

    def _pause(self, attempts: int, jitter: float, longest: float) -> float:
        doubled: float = self.first_seconds * 2.0 ** min(attempts, MOST_DOUBLINGS)
        return min(doubled, longest) * (0.75 + 0.5 * jitter)
