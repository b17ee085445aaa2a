"""`dbwatch rules check`: of every rule where it can run, and why."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

from dbwatch import library, rule_library
from dbwatch.core import durations, rules
from dbwatch.core.showing.tables import table
from dbwatch.http.own_metrics import every_name
from dbwatch.settings.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dbwatch.core.rules import Feed, WhereItRuns

COLUMNS = ("rule", "severity", "daemon", "prometheus", "for", "reads", "why")


class Configured(NamedTuple):
    """The directories that a configuration names."""

    rules: tuple[Path, ...] = ()
    collectors: tuple[Path, ...] = ()


NOTHING_CONFIGURED = Configured()


def configured(given: Path | None, usual: Path) -> Configured:
    """Those of the configuration given, else of the usual one where there is any. Raise ConfigError."""
    if given is None and not usual.exists():
        return NOTHING_CONFIGURED
    settings = load(given or usual, os.environ)
    return Configured(settings.alerting.rules_dir, settings.collectors_dir)


def report(found: Sequence[WhereItRuns], *, as_json: bool) -> tuple[bool, str]:
    """Whether all is well, and what to print."""
    fine = all(each.in_daemon for each in found)
    if as_json:
        return fine, json.dumps([document(each) for each in found], indent=2, ensure_ascii=False)
    return fine, "\n".join(lines(found, shutil.get_terminal_size((160, 24)).columns))


def judged(
    directories: Sequence[Path], collectors_dirs: Sequence[Path] = (), among: Configured = NOTHING_CONFIGURED
) -> list[WhereItRuns]:
    """The rules that ship and those `among` them, or those of these directories, whose names must differ from all.

    Raise ConfigError where a file cannot be read as rules.
    """
    catalogue, own = library.load(_once(among.collectors, collectors_dirs)), every_name()
    loaded = rule_library.load(_once(among.rules, directories))
    if directories:
        mine = {each.name for each in rule_library.load_own(directories)}
        loaded = tuple(each for each in loaded if each.name in mine)
    return [rules.where_it_runs(each, catalogue, own) for each in loaded]


def _once(some: Sequence[Path], others: Sequence[Path]) -> list[Path]:
    """A directory that is configured and given too is one."""
    return list({path.resolve(): path for path in (*some, *others)}.values())


def lines(found: Sequence[WhereItRuns], width: int) -> list[str]:
    shown = table(COLUMNS, [_row(each) for each in found], width)
    return [*shown, *_faults(found), summary(found)]


def _row(each: WhereItRuns) -> list[str]:
    rule = each.rule
    waits = durations.text(rule.for_seconds) if rule.for_seconds else "at once"
    reads = " ".join(each.families)
    return [rule.name, rule.severity, "yes" if each.in_daemon else "no", "yes", waits, reads, why(each)]


def why(each: WhereItRuns) -> str:
    """Who feeds it, or what is wrong with it."""
    return "; ".join(each.faults) or ", ".join(dict.fromkeys(map(_giver, each.feeds)))


def _giver(feed: Feed) -> str:
    every = durations.text(feed.interval_seconds).replace(".0s", "s")
    return f"{feed.engine}/{feed.collector} each {every}" if feed.collector else "the daemon itself"


def _faults(found: Sequence[WhereItRuns]) -> Iterator[str]:
    for each in found:
        yield from (f"{each.rule.path}: {each.rule.name}: {fault}" for fault in each.faults)


def summary(found: Sequence[WhereItRuns]) -> str:
    bad = sum(not each.in_daemon for each in found)
    verdict = f"{bad} of them with faults: the daemon cannot run these" if bad else "all of them run in both"
    return f"{len(found)} rules, {verdict}" if found else "no rules"


def document(each: WhereItRuns) -> dict[str, object]:
    rule = each.rule
    return {
        "rule": rule.name,
        "group": rule.group,
        "path": rule.path,
        "severity": rule.severity,
        "expression": rule.text,
        "for_seconds": rule.for_seconds,
        "keep_firing_for_seconds": rule.keep_firing_for_seconds,
        "daemon": each.in_daemon,
        "prometheus": True,
        "reads": list(each.families),
        "fed_by": [
            {
                "family": feed.family,
                "engine": feed.engine,
                "collector": feed.collector,
                "seconds": feed.interval_seconds,
            }
            for feed in each.feeds
        ],
        "faults": list(each.faults),
    }
