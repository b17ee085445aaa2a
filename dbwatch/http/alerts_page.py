"""The page of alerts: every one in full, the last 24 hours, silences, and whether anybody is told. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from dbwatch.core.alerting.model import Severity
from dbwatch.core.showing import humanise
from dbwatch.http.alert_health import health, troubles
from dbwatch.http.alert_list import IN_HAND_SIGN, MUTED_SIGN, PENDING_SIGN, SIGNS, all_alerts, no_alerts, without_name
from dbwatch.http.frame import ENGLISH, FRENCH, framed, time
from dbwatch.http.markup import element

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbwatch.core.alerting.model import Silence
    from dbwatch.core.alerting.view import AlertBoard, AlertEvent
    from dbwatch.http.frame import Frame
    from dbwatch.http.markup import Child, Safe

ALERTS_SHOWN, EVENTS_SHOWN = 300, 200
DAY_SECONDS = 86400
HAPPENED = {
    "fired": "✖ fired",
    "resolved": "✔ resolved",
    "unmeasured": "? no longer measured",
    "removed": "? rule or instance removed",
    "passed": "✔ fired and resolved",
    "acknowledged": f"{IN_HAND_SIGN} acknowledged",
    "silenced": f"{MUTED_SIGN} silenced",
    "unsilenced": f"{MUTED_SIGN} silence ended",
}
EVENT_COLUMNS = ("When", "What", "Severity", "Alert", "Instance", "Summary", "Who")
SILENCE_COLUMNS = ("Silence", "Alerts with", "From", "Until", "Who", "Why", "End it with")


def alerts_page(board: AlertBoard, frame: Frame) -> str:
    """The whole page."""
    if not board.is_started:
        return framed("alerts · dbwatch", element("main", *_not_started()), frame=frame)
    firing = sum(each.is_firing for each in board.alerts)
    return framed(
        f"{firing} firing · alerts · dbwatch",
        element("h1", "Alerts", class_="hidden"),
        element("p", *_summary(board, frame), class_="summary"),
        element(
            "main",
            element("section", *troubles(board, frame.now), *_alerts(board, frame), class_="alerts"),
            element("h2", "Rules and mail"),
            health(board, frame.now),
            *_history(board.events, frame),
            *_silences(board.silences, frame),
        ),
        frame=frame,
    )


def _not_started() -> list[Safe]:
    return [
        element("h1", "Alerts", class_="hidden"),
        element("p", "Rules are not evaluated by this process, or not yet: there is nothing to show."),
    ]


def _alerts(board: AlertBoard, frame: Frame) -> list[Safe]:
    return all_alerts(board, frame, limit=ALERTS_SHOWN) if board.alerts else [no_alerts(board, frame)]


def _summary(board: AlertBoard, frame: Frame) -> list[Child]:
    firing = Counter(each.alert.severity for each in board.alerts if each.is_firing)
    worst = min(firing, key=lambda severity: severity.rank, default=None)
    told: list[Child] = [element("strong", f"{firing.total()} firing", class_=f"count {worst or 'up'}")]
    told += [_chip(f"{SIGNS[each]} {firing[each]} {each.value}", each.value) for each in Severity if firing[each]]
    others = {
        f"{PENDING_SIGN} {{}} pending": sum(not each.is_firing for each in board.alerts),
        f"{IN_HAND_SIGN} {{}} acknowledged": sum(each.acknowledgement is not None for each in board.alerts),
        f"{MUTED_SIGN} {{}} muted": sum(each.mute is not None for each in board.alerts),
    }
    told += [_chip(text.format(count), "unknown") for text, count in others.items() if count]
    return [*told, _other_language(frame)]


def _chip(text: str, kind: str) -> Safe:
    return element("span", text, class_=f"chip {kind}")


def _other_language(frame: Frame) -> Safe:
    if frame.language == ENGLISH:
        return element("a", "textes en français", href=frame.here(language=FRENCH), lang=FRENCH, hreflang=FRENCH)
    return element("a", "texts in English", href=frame.here(language=ENGLISH), hreflang=ENGLISH)


def _history(events: Sequence[AlertEvent], frame: Frame) -> list[Safe]:
    recent = sorted((each for each in events if frame.now - each.at <= DAY_SECONDS), key=lambda each: -each.at)
    told = [element("h2", "The last 24 hours")]
    if not recent:
        return [*told, element("p", "Nothing happened.", class_="quiet")]
    told.append(_table(EVENT_COLUMNS, (_event(each, frame) for each in recent[:EVENTS_SHOWN])))
    if more := len(recent[EVENTS_SHOWN:]):
        told.append(element("p", f"and {more} before that: see `dbwatch alerts history`", class_="quiet"))
    return told


def _event(each: AlertEvent, frame: Frame) -> list[Child]:
    instance = each.db_instance
    link = element("a", instance, href=frame.to(f"/instances/{quote(instance)}")) if instance else None
    what = HAPPENED.get(each.what, each.what.replace("_", " "))
    severity = element("span", f"{SIGNS[each.severity]} {each.severity.value}", class_=f"state {each.severity.value}")
    summary = without_name(each.summary, instance)
    return [time(each.at, humanise.ago(each.at, frame.now)), what, severity, each.name, link, summary, each.who]


def _silences(silences: Sequence[Silence], frame: Frame) -> list[Safe]:
    told = [element("h2", "Silences")]
    if not silences:
        return [*told, element("p", "None.", class_="quiet")]
    ordered = sorted(silences, key=lambda each: (each.ends_at, each.id))
    return [*told, _table(SILENCE_COLUMNS, (_silence(each, frame.now) for each in ordered))]


def _silence(each: Silence, now: float) -> list[Child]:
    begins = humanise.ago(each.starts_at, now) if each.starts_at <= now else humanise.moment(each.starts_at)
    return [
        str(each.id),
        ", ".join(f"{name}={value}" for name, value in each.labels),
        time(each.starts_at, begins),
        time(each.ends_at, f"{humanise.moment(each.ends_at)}, in {humanise.duration(max(0.0, each.ends_at - now))}"),
        each.who,
        each.comment,
        element("code", f"dbwatch alerts unsilence {each.id}"),
    ]


def _table(columns: Sequence[str], rows: Iterable[Sequence[Child]]) -> Safe:
    """On a phone each row becomes a block whose empty cells vanish."""
    head = element("tr", *(element("th", title, scope="col") for title in columns))
    body = [
        element("tr", *(element("td", cell, data_label=title) for title, cell in zip(columns, row, strict=True)))
        for row in rows
    ]
    return element("div", element("table", element("thead", head), element("tbody", *body)), class_="log")
