"""What `dbwatch config check` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch.errors import ConfigError
from dbwatch.settings.files import directory_error, read_error
from dbwatch.settings.load import elsewhere, examine, in_reading_order
from dbwatch.settings.places import Places
from dbwatch.settings.tree import placed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from dbwatch.errors import Fault
    from dbwatch.settings.models import Settings
    from dbwatch.settings.tree import Placing


@dataclass(frozen=True, slots=True)
class Report:
    """The lines to print, and whether the daemon would start with this configuration."""

    lines: tuple[str, ...]
    ok: bool


def check_report(
    path: Path,
    environ: Mapping[str, str],
    *further: Callable[[Settings, Placing], object],
    odd: Callable[[Settings, Placing], Iterable[Fault]] = lambda _, __: (),
) -> Report:
    """Every fault, one a line; or how many instances there are, and the warnings.

    `further` are the checks of higher floors (collectors, web configuration), which raise ConfigError. They run on
    whatever could be read, so that their faults come with the others. `odd` gives warnings, once nothing is wrong.
    """
    found = examine(path, environ)
    at = placed(found.tree)
    places = Places(found.settings, at)
    faults = [*found.faults, *elsewhere(places.faults, found.faults)]
    for check in further:
        faults += elsewhere(_faults(check, found.settings, at), faults)
    if faults:  # a file that is not read may be the reason for them; other warnings can wait
        unread = (f"warning: {warning}" for warning in found.unread)
        return Report((*map(str, in_reading_order(faults)), *unread), ok=False)
    noticed = (*found.unread, *found.warnings, *places.warnings, *odd(found.settings, at))
    warnings = (f"warning: {warning}" for warning in noticed)
    return Report((*warnings, f"{path}: {_count(found.settings)}, ok"), ok=True)


def _faults(check: Callable[[Settings, Placing], object], settings: Settings, at: Placing) -> Iterator[Fault]:
    """What one check finds, save of files and directories that cannot be read: those were told with their key."""
    directories = (*settings.collectors_dir, *settings.alerting.rules_dir)
    unread = {str(each) for each in directories if directory_error(each)}
    web = settings.http.web_config_file
    if web is not None and read_error(web, may_be_empty=True):
        unread.add(str(web))
    try:
        check(settings, at)
    except ConfigError as error:
        yield from (fault for fault in error.faults if fault.where not in unread)


def _count(settings: Settings) -> str:
    count = len(settings.instances)
    disabled = count - len(settings.watched)
    counted = f"{count} instance{'' if count == 1 else 's'}"
    return f"{counted}, {disabled} of them disabled" if disabled else counted
