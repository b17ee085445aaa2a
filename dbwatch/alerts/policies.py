"""The settings of alerting as the policy that decisions are made by. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dbwatch.core.alerting.hours import Calendar, QuietHours
from dbwatch.core.alerting.policy import Policy, Route
from dbwatch.settings.alerting import DAYS

if TYPE_CHECKING:
    from dbwatch.core.alerting.policy import Inhibition
    from dbwatch.settings import alerting as given
    from dbwatch.settings.models import Settings


def policy_of(settings: Settings, inhibitions: tuple[Inhibition, ...]) -> Policy:
    """Where mail is off nobody is an audience, so that no letter is ever due."""
    alerting, mail = settings.alerting, settings.mail
    language = alerting.language
    if not alerting.mails:
        return Policy(group_by=alerting.group_by, quiet_hours=_quiet(alerting), inhibitions=inhibitions)
    escalation = alerting.escalation
    return Policy(
        default=Route(mail.to, language) if mail.to else None,
        routes=tuple(Route(each.to, each.language or language, tuple(each.match.items())) for each in mail.routes),
        group_by=alerting.group_by,
        first_critical_wait=alerting.first_critical_wait,
        group_wait=alerting.group_wait,
        group_interval=alerting.group_interval,
        repeat=alerting.repeat_interval,
        storm_limit=alerting.storm_limit,
        storm_window=alerting.storm_window,
        resolve_mails=alerting.resolve_mails,
        quiet_hours=_quiet(alerting),
        inhibitions=inhibitions,
        escalate_after=escalation.after,
        escalation=Route(escalation.to, language) if escalation.to else None,
        daily=_daily(alerting.daily_digest),
        weekly_test=_weekly(alerting.weekly_test),
        flap_limit=alerting.flapping.changes,
        flap_window=alerting.flapping.window,
        flap_calm=alerting.flapping.quiet_after,
    )


def _quiet(alerting: given.Alerting) -> tuple[QuietHours, ...]:
    return tuple(
        QuietHours(
            each.starts_at,
            each.ends_at,
            frozenset(map(DAYS.index, each.days)),
            ZoneInfo(each.timezone),
            frozenset(each.severities),
        )
        for each in alerting.quiet_hours
    )


def _daily(digest: given.DailyDigest | None) -> Calendar | None:
    return None if digest is None else Calendar(digest.at, ZoneInfo(digest.timezone))


def _weekly(test: given.WeeklyTest | None) -> Calendar | None:
    return None if test is None else Calendar(test.at, ZoneInfo(test.timezone), DAYS.index(test.day))
