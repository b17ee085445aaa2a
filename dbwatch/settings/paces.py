"""How often the settings let a collector be asked: what would hurt the server, and what is not kept.

The sampler has a pace of its own, faster than fast_interval: which collectors are its, the catalogue says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.core.model import Lane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbwatch.core.catalogue import Catalogue
    from dbwatch.errors import Fault
    from dbwatch.settings.models import Instance, Settings
    from dbwatch.settings.tree import Placing

# Below or above these it works, and is seldom what was meant.
SHORTEST_SECONDS = {"probe_interval": 1.0, "fast_interval": 1.0, "sampler_interval": 0.5}
REFUSED_BELOW_SECONDS = {"probe_interval": 0.2, "fast_interval": 0.05, "sampler_interval": 0.1}
SAMPLER = "sampler_interval"


def hurtful(key: str, interval_seconds: float) -> tuple[str, str] | None:
    """What is wrong with an interval that is refused, and how to mend it."""
    if interval_seconds >= (least := REFUSED_BELOW_SECONDS[key]):
        return None
    what = f"must be at least {least:g}s: each time is a login or a query of the server"
    return what, f"give {SHORTEST_SECONDS[key]:g}s or more"


def frequent(key: str, interval_seconds: float) -> tuple[str, str] | None:
    """What is odd about an interval that is let pass, and how to mend it."""
    if interval_seconds >= (shortest := SHORTEST_SECONDS[key]):
        return None
    often = "once" if shortest >= 1 else "twice"
    return f"asks the server more than {often} a second", f"give {shortest:g}s or more"


def refused(settings: Settings, catalogue: Catalogue, at: Placing) -> list[Fault]:
    """A sampler that is asked more often than sampler_interval may say."""
    return list(dict.fromkeys(_refused(settings, catalogue, at)))


def odd(settings: Settings, catalogue: Catalogue, at: Placing) -> list[Fault]:
    """Intervals that are not kept, or seldom meant."""
    return list(dict.fromkeys(_odd(settings, catalogue, at)))


def _refused(settings: Settings, catalogue: Catalogue, at: Placing) -> Iterator[Fault]:
    for instance in settings.watched:
        for name, interval, is_sampled in _overridden(instance, catalogue):
            if is_sampled and (told := hurtful(SAMPLER, interval)):
                yield at(_path(instance, name), *told)


def _odd(settings: Settings, catalogue: Catalogue, at: Placing) -> Iterator[Fault]:
    for instance in settings.watched:
        for name, interval, is_sampled in _overridden(instance, catalogue):
            if is_sampled and (told := frequent(SAMPLER, interval)):
                yield at(_path(instance, name), *told)
            elif not is_sampled and interval < instance.fast_interval:
                what = f"is under fast_interval: it runs every {instance.fast_interval:g}s"
                yield at(_path(instance, name), what, "lower fast_interval too, or give as much")


def _overridden(instance: Instance, catalogue: Catalogue) -> Iterator[tuple[str, float, bool]]:
    """Each collector of its engine with an interval of its own, and whether it is the sampler's."""
    for item in catalogue.collectors_for(instance.identity.engine):
        changes = instance.collectors.get(item.name)
        if changes is not None and changes.interval is not None:
            yield item.name, changes.interval, item.lane is Lane.SAMPLER


def _path(instance: Instance, collector: str) -> tuple[str, ...]:
    return ("instances", instance.name, "collectors", collector, "interval")
