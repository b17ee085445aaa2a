"""Whether a silence means that all is well: are rules evaluated, would a letter arrive? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.showing import humanise
from dbwatch.http.frame import problem, time
from dbwatch.http.markup import element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbwatch.core.alerting.view import AlertBoard, MailStatus, ReplicaStatus, RulesStatus
    from dbwatch.http.markup import Child, Safe

LATE_AFTER_INTERVALS = 3
RULES_SHOWN = 5
NOTIFY = {
    "off": "off: this dbwatch tells nobody; a Prometheus that loads the same rules may",
    "direct": "direct: dbwatch mails itself",
    "alertmanager": "alertmanager: pushed to Alertmanager, which tells",
    "both": "both: dbwatch mails itself, and pushes to Alertmanager",
}


def rules_line(rules: RulesStatus, now: float) -> list[Child]:
    """`61 rules, evaluated 4 s ago`."""
    if not rules.count:
        return ["no rule is loaded: nothing can be told"]
    counted = "1 rule, " if rules.count == 1 else f"{rules.count} rules, "
    if rules.evaluated_at is None:
        return [counted, "not evaluated yet"]
    return [counted, "evaluated ", time(rules.evaluated_at, humanise.ago(rules.evaluated_at, now))]


def is_late(rules: RulesStatus, now: float) -> bool:
    last = rules.evaluated_at
    return last is not None and now - last > LATE_AFTER_INTERVALS * rules.interval_seconds


def troubles(board: AlertBoard, now: float) -> list[Safe]:
    """What stands between a fact and the person who should know it."""
    return [*_rules_troubles(board.rules, now), *_mail_troubles(board.mail, now)]


def _rules_troubles(rules: RulesStatus, now: float) -> list[Safe]:
    told = []
    if rules.evaluated_at is not None and is_late(rules, now):
        often = humanise.duration(rules.interval_seconds)
        last = humanise.ago(rules.evaluated_at, now)
        told.append(
            problem("Alerts below may be old", f"rules were last evaluated {last}, and should be every {often}")
        )
    if rules.reload_error:
        told.append(
            problem("Configuration or rule files have a fault, those before them are in use", rules.reload_error)
        )
    return [*told, *_unwell("cannot be evaluated", rules.failing), *_unwell("cannot run here", rules.left_out)]


def _unwell(what: str, rules: Sequence[tuple[str, str]]) -> list[Safe]:
    """The first of them, and how many more."""
    told = [problem(f"Rule {name} {what}", why) for name, why in rules[:RULES_SHOWN]]
    more = len(rules[RULES_SHOWN:])
    return [*told, problem(f"and {more} more rules {what}", "")] if more else told


def _mail_troubles(mail: MailStatus, now: float) -> list[Safe]:
    told = []
    if not mail.is_persisted:
        told.append(problem("The outbox cannot be written", "letters leave from memory; a restart would lose them"))
    if mail.last_error:
        waiting = f"; {_letters(mail.queued)} waiting" if mail.queued else ""
        when = f"{humanise.ago(mail.last_error_at, now)}: " if mail.last_error_at is not None else ""
        told.append(problem("Mail does not leave", f"{when}{mail.last_error}{waiting}"))
    if mail.dead:
        told.append(problem(f"{_letters(mail.dead)} refused for good", "nobody has read what they said"))
    told += [problem(f"Alertmanager {each.url}", each.last_error) for each in mail.replicas if each.last_error]
    return told


def _letters(count: int) -> str:
    return "1 letter" if count == 1 else f"{count} letters"


def health(board: AlertBoard, now: float) -> Safe:
    """Rules and mail as facts, well or not."""
    rules, mail = board.rules, board.mail
    told: list[tuple[str, Child]] = [("Rules", element("span", *rules_line(rules, now)))]
    if rules.evaluated_at is not None:
        often, took = humanise.duration(rules.interval_seconds), humanise.duration(rules.took_seconds)
        told.append(("Evaluated", f"every {often}, the last time in {took}"))
    told.append(("Notify", NOTIFY.get(mail.notify, mail.notify)))
    if mail.notify != "off":
        told += _mail_facts(mail, now)
    told += [("Alertmanager", _replica(each, now)) for each in mail.replicas]
    rows = [element("div", element("dt", name), element("dd", value)) for name, value in told]
    return element("dl", *rows, class_="facts")


def _mail_facts(mail: MailStatus, now: float) -> list[tuple[str, Child]]:
    oldest = mail.oldest_queued_at
    age = f", the oldest since {humanise.duration(max(0.0, now - oldest))}" if oldest is not None else ""
    last = mail.last_success_at
    told: list[tuple[str, Child]] = [
        ("Queued", f"{mail.queued}{age if mail.queued else ''}"),
        ("Refused for good", str(mail.dead)),
        ("Last letter accepted", time(last, humanise.ago(last, now)) if last is not None else "none yet"),
    ]
    if mail.last_error:
        when = humanise.ago(mail.last_error_at, now) if mail.last_error_at is not None else "lately"
        told.append(("Last error", f"{when}: {mail.last_error}"))
    return told


def _replica(replica: ReplicaStatus, now: float) -> str:
    last = replica.last_success_at
    accepted = f"accepted {humanise.ago(last, now)}" if last is not None else "never reached"
    return f"{replica.url} {accepted}" + (f", then {replica.last_error}" if replica.last_error else "")
