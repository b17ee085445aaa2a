"""What alerting goes by: rules, thresholds, inhibitions and templates, read whole and checked before it is used.

It is apart from the world because nobody need wait for it: pages are served while it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch import library, mailer, rule_library
from dbwatch.app import rulebook_check
from dbwatch.core.rules import where_it_runs
from dbwatch.errors import ConfigError
from dbwatch.http.own_metrics import every_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbwatch.app.world import World
    from dbwatch.core.alerting.policy import Inhibition
    from dbwatch.core.rules import WhereItRuns
    from dbwatch.core.thresholds import Threshold
    from dbwatch.mailer import Composes


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A reload replaces it together with the world that it was made for."""

    rules: tuple[WhereItRuns, ...]
    thresholds: Mapping[str, Threshold]
    inhibitions: tuple[Inhibition, ...]
    composer: Composes | None  # None: nothing is mailed


def read(world: World) -> Rulebook:
    """Raise ConfigError with everything that is wrong in rules, thresholds and templates."""
    try:
        return _read(world)
    except ConfigError:
        rulebook_check.refuse_faults(world.settings)
        raise


def _read(world: World) -> Rulebook:
    alerting, own = world.settings.alerting, dict.fromkeys(every_name())
    rules = rule_library.load(alerting.rules_dir)
    return Rulebook(
        tuple(where_it_runs(rule, world.catalogue, own) for rule in rules),
        library.thresholds(alerting.rules_dir),
        rule_library.inhibitions(),
        mailer.composer(world.settings.mail, alerting) if alerting.mails else None,
    )
