"""What `dbwatch config check` says of rules, thresholds, templates, labels that no alert will ever have, and paces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch import library, mailer, rule_library
from dbwatch.core.alerting.model import ALERTNAME, Severity
from dbwatch.core.rules import INSTANCE_LABELS, where_it_runs
from dbwatch.errors import ConfigError, Fault
from dbwatch.http.own_metrics import every_name
from dbwatch.settings import paces
from dbwatch.settings.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from dbwatch.core.rules import AlertRule
    from dbwatch.settings.models import Settings
    from dbwatch.settings.tree import Placing

SEVERITY, CATEGORY = "severity", "category"
MOST_SHOWN = 15
LEFT_OUT_MEND = "mend it, or give it to a Prometheus"


def refuse_faults(settings: Settings) -> None:
    """Raise ConfigError with everything for which the daemon would not start."""
    if found := list(dict.fromkeys(faults(settings))):
        raise ConfigError(found)


def faults(settings: Settings) -> Iterator[Fault]:
    """Of every part of the rulebook, whatever is wrong in the others."""
    alerting = settings.alerting
    yield from _faults(lambda: rule_library.load(alerting.rules_dir))
    yield from _faults(lambda: library.thresholds(alerting.rules_dir))
    yield from _faults(rule_library.inhibitions)
    if alerting.mails:
        yield from _faults(lambda: mailer.composer(settings.mail, alerting))


def _faults(read: Callable[[], object]) -> tuple[Fault, ...]:
    try:
        read()
    except ConfigError as error:
        return error.faults
    return ()


def oddities(settings: Settings, at: Placing) -> Iterator[Fault]:
    """Rules that are left out, words of the settings that match nothing, paces; once there are no faults."""
    rules = rule_library.load(settings.alerting.rules_dir)
    catalogue, own = library.load(settings.collectors_dir), every_name()
    yield from paces.odd(settings, catalogue, at)
    for each in (where_it_runs(rule, catalogue, own) for rule in rules):
        if not each.in_daemon:
            yield Fault(f"{each.rule.path}: {each.rule.name}", f"left out: {'; '.join(each.faults)}", LEFT_OUT_MEND)
    labels = {ALERTNAME, *INSTANCE_LABELS}.union(*(each.labels for each in catalogue.families.values()))
    yield from _odd_labels(settings, at, labels.union(*map(_labels, rules)))
    yield from _odd_values(settings, at, _values(rules))


def _labels(rule: AlertRule) -> set[str]:
    """Those that it gives and those that it tells of: what metrics of the process carry is known by no family."""
    return set(rule.labels).union(*(text.labels for text in rule.annotations.values()))


def _odd_labels(settings: Settings, at: Placing, known: AbstractSet[str]) -> Iterator[Fault]:
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("alerting", "group_by", number), label) for number, label in enumerate(settings.alerting.group_by)
    ]
    for number, route in enumerate(settings.mail.routes):
        named += [(("mail", "routes", number, "match", label), label) for label in route.match]
    mend = f"alerts have {', '.join(sorted(INSTANCE_LABELS))}, {SEVERITY}, {CATEGORY} and those of their metrics"
    for path, label in named:
        if label not in known:
            yield at(path, f"no alert has the label {label}", did_you_mean(label, known) or mend)


def _values(rules: Iterable[AlertRule]) -> Mapping[str, set[str]]:
    """The labels whose values are all known, with these."""
    categories = {rule.labels[CATEGORY].expand({}, 0.0) for rule in rules}
    return {SEVERITY: set(Severity), CATEGORY: categories, ALERTNAME: {rule.name for rule in rules}}


def _odd_values(settings: Settings, at: Placing, known: Mapping[str, AbstractSet[str]]) -> Iterator[Fault]:
    for number, route in enumerate(settings.mail.routes):
        for label, values in route.match.items():
            for value in values:
                if label in known and value not in known[label]:
                    mend = did_you_mean(value, known[label]) or _some(known[label])
                    yield at(("mail", "routes", number, "match", label), f"no alert has the {label} {value}", mend)


def _some(known: AbstractSet[str]) -> str:
    shown = sorted(filter(None, known))
    return f"there {'is' if len(shown) == 1 else 'are'} {', '.join(shown)}" if 0 < len(shown) <= MOST_SHOWN else ""
