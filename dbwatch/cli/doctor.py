"""`dbwatch doctor`: what each collector can see, and the exact GRANT for what it cannot. Pure, save for the polling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.cli.ask import title
from dbwatch.core.showing.humanise import duration
from dbwatch.engines.base import ONLY_READ
from dbwatch.errors import Reason
from dbwatch.poller.once import poll_once

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbwatch.poller.once import Poll, Target
    from dbwatch.settings.models import Instance
    from dbwatch.store import CollectorStatus

SKIPPED = {
    "role": "not for this role",
    "version": "not for this version",
    "optional": "what it takes is optional, and missing",
    "performance_schema_off": "the server's performance_schema is switched off",
    "logging_collector_off": "the server writes no files of its log itself (logging_collector is off)",
    "disabled": "switched off",
    "heavy": "ready; only the daemon asks it by itself, for it takes long",
    "remote": "the server is elsewhere (were it on this machine: `host: local`)",
}
ABOUT_TLS = frozenset({Reason.TLS})
ABOUT_PASSWORD = frozenset({Reason.AUTH})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What doctor says of one instance."""

    name: str
    lines: tuple[str, ...]
    grants: tuple[str, ...] = ()
    healthy: bool = True


async def examine(target: Target) -> Diagnosis:
    """Poll the instance once and judge."""
    return diagnosis(target.instance, await poll_once(target, with_heavy=True))


def diagnosis(instance: Instance, poll: Poll) -> Diagnosis:
    """One poll in words."""
    state = poll.state
    if not state.up:
        what = f"{instance.name}: cannot log in at {state.address}: {state.reason}: {state.message}"
        hints = [*filter(None, [state.remedy]), *login_hints(instance, state.reason)]
        return Diagnosis(instance.name, (what, *(f"  -> {hint}" for hint in hints)), healthy=False)
    statuses = list(state.collectors.values())
    grants = dict.fromkeys(line for status in statuses if lacks(status) for line in status.remedy.splitlines())
    lines = (*title(poll), *(line for status in statuses for line in _lines(status)))
    return Diagnosis(
        instance.name, lines, tuple(grants), healthy=all(status.succeeded is not False for status in statuses)
    )


def lacks(status: CollectorStatus) -> bool:
    return status.succeeded is False and status.reason is Reason.PERMISSION and status.remedy != ONLY_READ


def _lines(status: CollectorStatus) -> Iterable[str]:
    if status.succeeded:
        yield f"  ok       {status.name}: {status.series} series in {duration(status.seconds or 0.0)}"
        yield from (f"           {line}" for line in status.message.splitlines())
    elif status.succeeded is None:
        yield f"  left out {status.name}: {SKIPPED.get(status.skipped, status.skipped)}"
        # The message tells what is to be done in which database; an instance's remedy stands for itself.
        yield from (f"           {line}" for line in (status.message or status.remedy).splitlines())
    elif lacks(status):
        yield f"  MISSING  {status.name}: {status.message}"
        yield from (f"           {line}" for line in status.remedy.splitlines())
    else:
        yield f"  FAILED   {status.name}: {status.reason}: {status.message}"
        yield from (f"           {line}" for line in status.remedy.splitlines())


def login_hints(instance: Instance, reason: Reason | None) -> list[str]:
    """What the settings say about the login that failed; never the password."""
    if reason in ABOUT_TLS:
        mode = instance.tls.mode or ("off on loopback and sockets" if instance.is_local else "verified, the default")
        return [f"tls.mode is {mode}; tls.ca_file is {instance.tls.ca_file or 'not set: the system store is used'}"]
    if reason in ABOUT_PASSWORD:
        monitor = instance.monitor
        sources = {"password_file": monitor.password_file, "password_env": monitor.password_env}
        named = [f"{name} {value}" for name, value in sources.items() if value]
        inline = "password in the settings" if monitor.password else "no password"
        return [f"logged in as {monitor.user} with {' '.join(named) or inline}"]
    return []


def remedies(diagnoses: Iterable[Diagnosis]) -> list[str]:
    """All GRANTs once together, to hand to an administrator."""
    lacking = [each for each in diagnoses if each.grants]
    lines = [line for each in lacking for line in (f"-- on {each.name}", *each.grants)]
    return ["", "What to run as an administrator:", *lines] if lines else []
