"""When each collector is due. Pure: time is an argument.

A collector keeps its phase: runs are at first + n x interval, so that many instances stay spread. Where a run costs
more than 5 % of its interval the interval is stretched until it no longer does, and shrinks back when it gets cheaper.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace

from dbwatch.core.model import Lane

COST_SHARE = 0.05
GRID_SECONDS = 60.0
MISSING_RETRY_SECONDS = 900.0
AUTH_BACKOFF_SECONDS = 600.0
BACKOFF_FIRST_SECONDS = 1.0
BACKOFF_MAX_SECONDS = 30.0
FRESH_FOR_INTERVALS = 3.0
SMOOTHING = 0.3
# Who is up is known first; a first slow round costs the server most, with a fresh session for each database.
START_SECONDS_EACH = {Lane.PROBE: 0.01, Lane.FAST: 0.1, Lane.SAMPLER: 0.1, Lane.SLOW: 0.45, Lane.HEAVY: 3.0}


@dataclass(frozen=True, slots=True)
class Plan:
    """When one collector runs next. All times are of one monotonic clock, in seconds."""

    name: str
    base_seconds: float
    due_at: float
    cost_seconds: float = 0.0  # a moving average, so that one slow run does not stretch for ever

    @property
    def interval_seconds(self) -> float:
        """The interval that is kept now: whole multiples of the configured one."""
        needed = self.cost_seconds / COST_SHARE
        return self.base_seconds * max(1, math.ceil(needed / self.base_seconds - 1e-9))


def first(name: str, base_seconds: float, now: float, spread: str = "") -> Plan:
    """Due at once, and again after half an interval at the earliest: a start is work enough.

    The phase of later runs follows from `spread`, so that 200 instances do not poll in step. Within one instance
    the runs that come seldom fall on those that come each minute: what is asked together shares its logins.
    """
    return Plan(name, base_seconds, now - _offset(spread, base_seconds))


def _offset(spread: str, base_seconds: float) -> float:
    if base_seconds < GRID_SECONDS:
        return phase(spread, base_seconds) / 2
    whole = math.floor(phase(spread, base_seconds) / 2 / GRID_SECONDS)
    return whole * GRID_SECONDS + phase(spread, GRID_SECONDS) / 2


def start_delay(lane: Lane, name: str, siblings: int) -> float:
    """Seconds that a lane of an instance with so many siblings waits at the start: a fleet does not log in at once."""
    return phase(f"{lane} {name}", siblings * START_SECONDS_EACH[lane])


def phase(spread: str, interval_seconds: float) -> float:
    """A stable point within the interval for this name."""
    return interval_seconds * (zlib.crc32(spread.encode()) % 1000) / 1000 if spread else 0.0


def due(plans: list[Plan], now: float) -> list[Plan]:
    """Those that should run now, the earliest deadline first: what comes often need not wait for what comes seldom.

    The deadline is the next run; what waits gets ever more urgent, so that nothing waits for ever.
    """
    return sorted((plan for plan in plans if plan.due_at <= now), key=lambda plan: plan.due_at + plan.interval_seconds)


def after(plan: Plan, now: float, cost_seconds: float) -> Plan:
    """The plan once it has run: the next point of its grid that lies ahead. Points missed are not made up for."""
    cost = cost_seconds if not plan.cost_seconds else plan.cost_seconds + SMOOTHING * (cost_seconds - plan.cost_seconds)
    told = replace(plan, cost_seconds=cost)
    steps = math.floor((now - plan.due_at) / told.interval_seconds) + 1
    return replace(told, due_at=plan.due_at + steps * told.interval_seconds)


def postponed(plan: Plan, now: float, seconds: float) -> Plan:
    """Not before `seconds` from now (a missing privilege, an object that does not exist)."""
    return replace(plan, due_at=now + max(seconds, plan.interval_seconds))


def retried(plan: Plan, at: float) -> Plan:
    """Once more at that time: no session could be had."""
    return replace(plan, due_at=at)


def backoff(attempt: int, jitter: float) -> float:
    """Seconds to wait after the failed login number `attempt` (from 1), jittered by 0..1 into the upper half."""
    longest = min(BACKOFF_MAX_SECONDS, BACKOFF_FIRST_SECONDS * 2.0 ** min(attempt - 1, 10))
    return longest * (0.5 + 0.5 * jitter)
