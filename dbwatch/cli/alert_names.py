"""Names in commands about alerts: one that is none would silence nothing, and nobody would notice."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dbwatch import rule_library
from dbwatch.core.alerting.model import ALERTNAME
from dbwatch.errors import ConfigError, UsageError
from dbwatch.settings.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dbwatch.settings.models import Settings

INSTANCE = "db_instance"
LONGEST_LIST = 10


def checked(labels: Mapping[str, str], settings: Settings) -> None:
    """Raise UsageError where they name an alert or an instance that nobody knows."""
    name, instance = labels.get(ALERTNAME, ""), labels.get(INSTANCE, "")
    if name:
        _check_alert(name, settings)
    if instance and instance not in settings.instances:
        raise unknown_instance(instance, settings, " (or silence it all the same: --force)")


def unknown_instance(name: str, settings: Settings, otherwise: str = "") -> UsageError:
    return UsageError(f"no instance {name!r} in the configuration{_hint(name, settings.instances)}{otherwise}")


def _check_alert(name: str, settings: Settings) -> None:
    if name in settings.instances:
        raise UsageError(f"{name} is an instance: dbwatch alerts silence --instance {name} --for 2h")
    with suppress(ConfigError):  # rules that cannot be read are told by others
        known = {rule.name for rule in rule_library.load(settings.alerting.rules_dir)}
        if name not in known:
            raise UsageError(f"no rule makes an alert {name!r}{_hint(name, known)} (or: --force)")


def _hint(name: str, known: Collection[str]) -> str:
    by_lower_case = {each.lower(): each for each in known}
    found = did_you_mean(name, by_lower_case, spelled=by_lower_case.__getitem__)
    few = f"known: {', '.join(sorted(known)) or 'none'}" if len(known) <= LONGEST_LIST else ""
    return f": {found or few}" if found or few else ""
