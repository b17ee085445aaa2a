"""What the control socket can do with alerts: list, history, acknowledge, silence, unsilence."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from dbwatch.core.alerting.model import Acknowledgement, AlertState, Silence, pairs
from dbwatch.errors import UsageError
from dbwatch.history.arguments import LONGEST_SECONDS, duration, text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dbwatch.core.alerting.model import Alert
    from dbwatch.history.alerts import AlertBook
    from dbwatch.history.maintenance import History

    Command = Callable[[dict[str, object]], Awaitable[object]]

SHORTEST_PREFIX = 2
SHOWN, SHORT = 10, 8
LISTED = 10_000
DAY_SECONDS = 86400.0


def commands(history: History, clock: Callable[[], float]) -> Mapping[str, Command]:
    """The handlers by name: JSON in, JSON out."""
    book = history.alerts

    async def listed(arguments: dict[str, object]) -> object:
        name = text(arguments, "instance")
        found = [alert for alert in book.current.values() if name in ("", alert.label("db_instance"))]
        return {
            "looked_at": book.looked_at,
            "alerts": [_shown(book, alert, clock()) for alert in sorted(found, key=_worst_first)],
            "silences": [_silence(each) for each in book.silences(clock())],
        }

    async def told(arguments: dict[str, object]) -> object:
        since = clock() - (duration(arguments) or DAY_SECONDS)
        events = await book.events(since, LISTED, text(arguments, "instance"))
        return [{**asdict(event), "labels": dict(event.labels)} for event in events]

    async def acknowledge(arguments: dict[str, object]) -> object:
        named = chosen(book, text(arguments, "alert"), text(arguments, "instance"))
        for alert in named:
            held = Acknowledgement(alert.fingerprint, clock(), text(arguments, "who"), text(arguments, "comment"))
            await book.acknowledge(held)
        return [_shown(book, alert, clock()) for alert in named]

    async def silence(arguments: dict[str, object]) -> object:
        return _silence(await book.silence(asked(arguments, clock())))

    async def unsilence(arguments: dict[str, object]) -> object:
        number = arguments.get("id")
        if not isinstance(number, int) or not await book.unsilence(number, clock(), text(arguments, "who")):
            known = ", ".join(str(each.id) for each in book.silences(clock())) or "none"
            raise UsageError(f"no silence {number} is open; open: {known}")
        return {"id": number}

    return {
        "alerts_list": listed,
        "alerts_history": told,
        "alerts_acknowledge": acknowledge,
        "alerts_silence": silence,
        "alerts_unsilence": unsilence,
    }


def chosen(book: AlertBook, named: str, instance: str) -> list[Alert]:
    """The firing alerts of that name on that instance, or the one whose id begins so. Raise UsageError."""
    firing = [alert for alert in book.current.values() if alert.state is AlertState.FIRING]
    found = [alert for alert in firing if alert.name == named and instance in ("", alert.label("db_instance"))]
    if len(found) > 1 and not instance:
        raise UsageError(_lines(f"{len(found)} alerts {named} fire: name the instance, or give the id of one", found))
    if not found and not instance and len(named) >= SHORTEST_PREFIX:
        found = [alert for alert in firing if alert.fingerprint.startswith(named.lower())]
        if len(found) > 1:
            raise UsageError(_lines(f"{named!r} begins the ids of several alerts", found))
    if not found:
        raise UsageError(_not_found(firing, named, instance))
    return found


def _not_found(firing: list[Alert], named: str, instance: str) -> str:
    is_by_name = f"no alert {named} of {instance} fires"
    what = is_by_name if instance else f"no alert that fires has the name or the id {named!r}"
    return _lines(f"{what}; firing", firing) if firing else f"{what}: nothing fires"


def _lines(what: str, alerts: list[Alert]) -> str:
    """One a line, the worst first."""
    shown = sorted(alerts, key=_worst_first)[:SHOWN]
    names = [" ".join(filter(None, (alert.name, alert.label("db_instance")))) for alert in shown]
    lines = [f"  {alert.fingerprint[:SHORT]}  {name}" for alert, name in zip(shown, names, strict=True)]
    more = [f"  and {len(alerts) - SHOWN} more"] if len(alerts) > SHOWN else []
    return "\n".join([f"{what}:", *lines, *more])


def asked(arguments: Mapping[str, object], now: float) -> Silence:
    """The silence that is asked for. Raise UsageError where it makes no sense."""
    labels = arguments.get("labels")
    if (
        not isinstance(labels, dict)
        or not labels
        or not all(isinstance(each, str) and each for each in labels.values())
    ):
        raise UsageError("a silence needs an alert's name, an instance, or a label with its value")
    seconds = duration(arguments)
    if seconds is None:
        raise UsageError(f"a silence needs an end: say for how long, {LONGEST_SECONDS / DAY_SECONDS:.0f} days at most")
    return Silence(0, pairs(labels), now, now + seconds, text(arguments, "who"), text(arguments, "comment"))


def _worst_first(alert: Alert) -> tuple[object, ...]:
    order = (AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED)
    return order.index(alert.state), alert.severity.rank, alert.label("db_instance"), alert.name, alert.fingerprint


def _shown(book: AlertBook, alert: Alert, now: float) -> dict[str, object]:
    held = book.acknowledgements.get(alert.fingerprint)
    silences = [silence.id for silence in book.silences(now) if silence.is_open(now) and silence.matches(alert)]
    return {
        "fingerprint": alert.fingerprint,
        **asdict(alert),
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "acknowledged": asdict(held) if held else None,
        "silenced_by": silences,
    }


def _silence(silence: Silence) -> dict[str, object]:
    return {**asdict(silence), "labels": dict(silence.labels)}
