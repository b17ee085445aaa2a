"""Active alerts as HTML: above the instances, on an instance's page, and on the page of all alerts. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from dbwatch.core.alerting.model import Severity
from dbwatch.core.alerting.view import worst_first
from dbwatch.core.showing import humanise
from dbwatch.http.alert_health import rules_line, troubles
from dbwatch.http.frame import ENGLISH, command, time
from dbwatch.http.markup import element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.alerting.model import Alert
    from dbwatch.core.alerting.view import AlertBoard, BoardAlert
    from dbwatch.http.frame import Frame
    from dbwatch.http.markup import Child, Safe

SHORT_FINGERPRINT = 8  # as in the mails: enough for the command, and it can be typed
SHOWN_ABOVE = 12  # those below are one click away
SIGNS = {Severity.CRITICAL: "✖", Severity.WARNING: "▲", Severity.INFO: "●"}
PENDING_SIGN, IN_HAND_SIGN, MUTED_SIGN = "…", "✔", "◆"
MUTES = {
    "maintenance": "in maintenance",
    "silence": "silenced",
    "inhibited": "follows from another alert",
    "quiet_hours": "quiet hours",
    "flapping": "flapping",
    "acknowledged": "acknowledged",
}
NEXT_STEP = re.compile(r"\s+(?=[2-9]\. )")
WHOSE = ("env", "service", "team")
TOLD_ELSEWHERE = frozenset({"alertname", "severity", "category", "db_instance", "engine", *WHOSE})


def alerts_above(board: AlertBoard, frame: Frame) -> Safe | None:
    """What the page of instances says first; nothing where no rules are evaluated."""
    if not board.is_started:
        return None
    return element(
        "section",
        element("h2", "Alerts", class_="hidden"),
        *troubles(board, frame.now),
        *_active(board.alerts, frame, limit=SHOWN_ABOVE),
        element("p", *_below(board, frame), class_="quiet"),
        class_="alerts",
    )


def alerts_of(instance: str, board: AlertBoard, frame: Frame) -> Safe | None:
    """Those of one instance."""
    alerts = board.of(instance)
    if not board.is_started or not alerts:
        return element("p", *_none(board, frame), class_="quiet") if board.is_started else None
    return element(
        "section", element("h2", "Alerts"), *_active(alerts, frame, is_full=True, names_instance=False), class_="alerts"
    )


def all_alerts(board: AlertBoard, frame: Frame, *, limit: int) -> list[Safe]:
    return _active(board.alerts, frame, limit=limit, is_full=True)


def no_alerts(board: AlertBoard, frame: Frame) -> Safe:
    return element("p", *_none(board, frame), class_="quiet")


def _below(board: AlertBoard, frame: Frame) -> list[Child]:
    if not board.alerts:
        return _none(board, frame)
    return [element("a", "all about alerts", href=frame.to("/alerts")), " · ", *rules_line(board.rules, frame.now)]


def _none(board: AlertBoard, frame: Frame) -> list[Child]:
    """That there is none is worth as much as the rules that looked."""
    is_calm = board.rules.count > 0 and board.rules.evaluated_at is not None
    said = element("span", f"{IN_HAND_SIGN} no alert", class_="state up") if is_calm else "no alert is known"
    return [said, " · ", *rules_line(board.rules, frame.now)]


def _active(
    alerts: Sequence[BoardAlert],
    frame: Frame,
    *,
    limit: int | None = None,
    is_full: bool = False,
    names_instance: bool = True,
) -> list[Safe]:
    ordered = worst_first(alerts)
    firing = [each for each in ordered if each.is_firing]
    told = [alert_card(each, frame, is_full=is_full, names_instance=names_instance) for each in firing[:limit]]
    if more := len(firing) - len(told):
        told.append(element("p", element("a", f"and {more} more firing", href=frame.to("/alerts"))))
    pending = [each for each in ordered if not each.is_firing]
    return [*told, *_pending(pending, frame, limit)]


def _pending(pending: Sequence[BoardAlert], frame: Frame, limit: int | None) -> list[Safe]:
    """True, but not yet for long enough: nobody is disturbed by them."""
    if not pending:
        return []
    lines = [
        element("li", element("strong", *_name(each.alert)), " ", _since(each, frame), ": ", said(each.alert, frame))
        for each in pending[:limit]
    ]
    if more := len(pending) - len(lines):
        lines.append(element("li", f"and {more} more"))
    title = element("p", f"{PENDING_SIGN} {len(pending)} pending: true, but not for long enough to tell anybody")
    return [element("div", title, element("ul", *lines), class_="pending quiet")]


def _name(alert: Alert) -> list[str]:
    return [alert.name, *([f" on {alert.label('db_instance')}"] if alert.label("db_instance") else [])]


def alert_card(each: BoardAlert, frame: Frame, *, is_full: bool, names_instance: bool = True) -> Safe:
    """One firing alert; in full with its meaning, what it does to people and what to do."""
    alert, severity = each.alert, each.alert.severity
    state = element("span", f"{SIGNS[severity]} {severity.value}", class_="state")
    instance = alert.label("db_instance") if names_instance else ""
    link = element("a", instance, href=frame.to(f"/instances/{quote(instance)}")) if instance else None
    return element(
        "article",
        element(
            "h3",
            element("span", state, " ", link, " " if link else None, said(alert, frame), class_="name"),
            element("span", _since(each, frame), class_="since"),
        ),
        element("p", *_facts(alert), class_="quiet what"),
        *(_meaning(alert, frame) if is_full else []),
        *_in_hand(each, frame.now),
        _what_next(each),
        class_=f"card alert {severity.value}{' muted' if each.mute or each.acknowledgement else ''}",
        id=alert.fingerprint,
    )


def said(alert: Alert, frame: Frame) -> Safe:
    """The summary, beside the instance's name."""
    summary = alert.annotation("summary", frame.language) or alert.name
    return element("span", without_name(summary, alert.label("db_instance")), lang=_lang(frame))


def without_name(summary: str, instance: str) -> str:
    """`rdv: sessions wait` or `rdv : des sessions attendent`, where the instance stands beside it anyway."""
    begins = bool(instance) and summary.startswith(instance)
    rest = summary.removeprefix(instance).lstrip(" \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}") if begins else ""
    return rest.removeprefix(":").strip() if rest.startswith(":") else summary


def _lang(frame: Frame) -> str | None:
    return None if frame.language == ENGLISH else frame.language


def _since(each: BoardAlert, frame: Frame) -> Safe:
    return time(each.since, f"{each.alert.state.value} for {humanise.duration(max(0.0, frame.now - each.since))}")


def _facts(alert: Alert) -> list[Child]:
    """`InstanceDown · value 0 · prod · rdv · dba · database=app`."""
    own = [f"{name}={value}" for name, value in alert.labels if name not in TOLD_ELSEWHERE and value]
    whose = [alert.label(name) for name in WHOSE]
    return [" · ".join(filter(None, [alert.name, f"value {humanise.number(alert.value)}", *whose, *own]))]


def _meaning(alert: Alert, frame: Frame) -> list[Safe]:
    description = alert.annotation("description", frame.language)
    titles = {"impact": ("Impact", "Conséquence"), "action": ("What to do", "Que faire")}
    told = {
        titles[name][frame.language != ENGLISH]: text
        for name in titles
        if (text := alert.annotation(name, frame.language))
    }
    rows = [element("div", element("dt", title), element("dd", *prose(text))) for title, text in told.items()]
    return [
        *([element("p", *prose(description), class_="prose", lang=_lang(frame))] if description else []),
        *([element("dl", *rows, class_="meaning", lang=_lang(frame))] if rows else []),
    ]


def prose(text: str) -> list[Child]:
    """What stands between backticks is code; numbered steps have a line each."""
    lined = NEXT_STEP.sub("\n", text.strip()) if text.lstrip().startswith("1. ") else text.strip()
    return [element("code", part) if odd % 2 else part for odd, part in enumerate(lined.split("`")) if part]


def _in_hand(each: BoardAlert, now: float) -> list[Safe]:
    """Who has it, and why nobody is told."""
    notes = []
    if (given := each.acknowledgement) is not None:
        by = f" by {given.who}" if given.who else ""
        when = time(given.at, humanise.ago(given.at, now))
        comment = f": {given.comment}" if given.comment else None
        notes.append(element("p", f"{IN_HAND_SIGN} acknowledged{by} ", when, comment, class_="note"))
    if (mute := each.mute) is not None:
        why = MUTES.get(mute.reason, mute.reason.replace("_", " "))
        detail = f": {mute.detail}" if mute.detail else ""
        rest = time(mute.until, f" for {humanise.duration(max(0.0, mute.until - now))} more") if mute.until else None
        notes.append(element("p", f"{MUTED_SIGN} nobody is told: {why}{detail}", rest, class_="note"))
    return notes


def _what_next(each: BoardAlert) -> Safe:
    alert = each.alert
    picture = ["picture of that second: ", element("code", alert.picture)] if alert.picture else []
    link = runbook_link(alert)
    runbook = element("a", "runbook", href=link) if link else None
    is_open = each.is_firing and each.acknowledgement is None
    return element(
        "div",
        element("p", runbook, " · " if runbook and picture else None, *picture) if runbook or picture else None,
        command(f"dbwatch alerts ack {alert.fingerprint[:SHORT_FINGERPRINT]}") if is_open else None,
        class_="next",
    )


def runbook_link(alert: Alert) -> str:
    """Ours are served here, for who has no Internet; somebody else's is where it is; '' where there is none."""
    url = alert.annotation("runbook_url")
    if url.startswith(("https://", "http://")):
        return url
    stem = url.rpartition("/")[2].removesuffix(".md")
    return f"/runbooks/{quote(stem)}" if stem else ""
