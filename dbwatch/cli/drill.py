"""`drill`: rehearse disasters on scratch servers, and tell how long it took and what would have been lost."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from dbwatch.cli.backup import cancel_at_sigterm, followed
from dbwatch.cli.maintenance import account
from dbwatch.cli.reaching import mapping, mappings, number, reached, text
from dbwatch.core.backups import drills
from dbwatch.core.backups.drills import Scenario
from dbwatch.core.showing import humanise
from dbwatch.errors import UsageError
from dbwatch.settings.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dbwatch.cli.reaching import Reached

    Row = Mapping[str, object]

FAILED, INTERRUPTED = 1, 130
SUCCEEDED = "succeeded"
CANCELLED = "cancelled: what it made is removed, no instance was touched"
POSTGRES = "postgres"


def run(
    config: Path, words: Sequence[str], *, everything: bool, instance: str, table: str, take: bool, keep: bool
) -> int:
    """0 where each drill succeeded. Ctrl-C leaves it to the daemon, or cancels it where we run it ourselves."""
    scenarios = chosen(words, everything=everything, table=table)
    options: dict[str, object] = {"take": take, "keep": keep, "table": table}
    begun: list[str] = []
    try:
        return asyncio.run(_run(config, scenarios, instance, options, begun, everything=everything))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\n".join(begun[-1:] or ["interrupted"]))
        return INTERRUPTED


def chosen(words: Sequence[str], *, everything: bool, table: str) -> tuple[Scenario, ...]:
    """Raise UsageError where it is not clear what is to be rehearsed."""
    try:
        found = tuple(Scenario) if everything else drills.named(words)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not found or (everything and words):
        known = ", ".join(f"{each.number} ({each})" for each in Scenario)
        raise UsageError(f"name the scenarios, or --all of them: {known}")
    if table and Scenario.TABLE not in found:
        raise UsageError("--table is for scenario 03")
    return found


async def _run(
    config: Path,
    scenarios: Sequence[Scenario],
    instance: str,
    options: Mapping[str, object],
    begun: list[str],
    *,
    everything: bool,
) -> int:
    engines = {name: each.identity.engine for name, each in load(config, os.environ).instances.items()}
    async with reached(config) as office:
        if not office.is_daemon:
            cancel_at_sigterm()
        is_named = bool(instance) and not everything
        played = {
            name: playable(scenarios, engines.get(name, POSTGRES), named=is_named)
            for name in await _instances(office, instance)
        }
        print("".join(f"{line}\n" for line in left_out(scenarios, played)), end="")
        played = {name: wanted for name, wanted in played.items() if wanted}
        refuse_many(options["table"], [name for name, wanted in played.items() if Scenario.TABLE in wanted])
        results = [await _one(office, name, wanted, options, begun) for name, wanted in played.items()]
    if not results:
        raise UsageError("no instance is backed up that could be rehearsed -> give one a section `backups:`")
    return 0 if all(results) else FAILED


def refuse_many(table: object, instances: Sequence[str]) -> None:
    """Raise UsageError where one table is wanted of several instances: a rehearsal would fail for a slip of ours."""
    if table and len(instances) > 1:
        raise UsageError(f"--table is a table of one instance -> name it with --instance: {', '.join(instances)}")


async def _instances(office: Reached, instance: str) -> list[str]:
    if instance:
        return [instance]
    lines = mappings(await office.ask("jobs_list", {}))
    return list(dict.fromkeys(text(line, "instance") for line in lines if text(line, "instance")))


def playable(scenarios: Sequence[Scenario], engine: str, *, named: bool) -> tuple[Scenario, ...]:
    """Who names an instance and scenarios is told what it cannot play; of all there are, it is left out."""
    can = drills.possible(engine)
    return tuple(each for each in scenarios if named or each in can)


def left_out(scenarios: Sequence[Scenario], played: Mapping[str, Sequence[Scenario]]) -> Iterator[str]:
    """Who reads that all went well must know what was not played."""
    for name, wanted in played.items():
        if missing := ", ".join(each.number for each in scenarios if each not in wanted):
            yield f"{name}: {missing} is left out: dbwatch plays it for PostgreSQL alone"


async def _one(
    office: Reached, instance: str, scenarios: Sequence[Scenario], options: Mapping[str, object], begun: list[str]
) -> bool:
    arguments = {"instance": instance, "scenarios": [each.value for each in scenarios], "who": account(), **options}
    asked = mapping(await office.ask("drill_start", arguments))
    job = text(asked, "id")
    begun.append(f"the daemon goes on with it; to end it: dbwatch jobs cancel {job}" if office.is_daemon else CANCELLED)
    print(f"{instance}: {', '.join(each.number for each in scenarios)} ...", flush=True)
    status = await followed(office, job)
    found = [each for each in mappings(await office.ask("drill_list", {})) if _is_of(each, status)]
    kept = sorted(found, key=lambda each: text(each, "scenario"))
    print("\n".join(line for each in kept for line in lines(each)))
    succeeded = text(status, "state") == SUCCEEDED
    if not succeeded and not _tell_all(kept, scenarios):
        print(f"{instance}: {text(status, 'state')} ({text(status, 'reason')}): {text(status, 'detail')}")
    return succeeded


def _tell_all(kept: Sequence[Row], scenarios: Sequence[Scenario]) -> bool:
    """Else the run ended for another reason: it was cancelled, or a report could not be written."""
    return len(kept) == len(scenarios) and all(text(each, "report") for each in kept)


def _is_of(kept: Row, status: Row) -> bool:
    """It was played in that run."""
    began, ended = number(status, "started_at") or 0.0, number(kept, "ended_at") or 0.0
    return text(kept, "instance") == text(status, "instance") and ended >= began


def lines(kept: Row) -> Iterator[str]:
    """One drill for a terminal: the verdict, the phases, what did not hold, and where the report is."""
    derived = mapping(kept.get("derived"))
    good = derived.get("succeeded") is True
    yield f"{text(kept, 'scenario')}  {'succeeded' if good else 'FAILED'}"
    if text(kept, "detail"):
        yield f"  {text(kept, 'detail')}"
    for check in mappings(kept.get("checks")):
        if check.get("holds") is not True:
            yield f"  not proven: {text(check, 'name')} {'; '.join(_texts(check, 'differences'))}".rstrip()
    yield f"  RTO   {_against(derived, 'rto_seconds', kept, 'rto_target_seconds', 'meets_rto')}"
    yield f"        {_phases(kept)}"
    yield f"  RPO   {_against(derived, 'rpo_seconds', kept, 'rpo_target_seconds', 'meets_rpo')}{_measured(kept)}"
    if text(kept, "report"):  # it could be written
        yield f"  report {text(kept, 'report')} (and .html, .json)"


def _against(derived: Row, name: str, kept: Row, target: str, meets: str) -> str:
    seconds, wanted = number(derived, name), number(kept, target)
    if seconds is None:
        return "not reached" if name == "rto_seconds" else "not known"
    told = {True: "met", False: "MISSED"}.get(bool(derived.get(meets)), "")
    objective = f" (objective {humanise.duration(wanted)}: {told})" if wanted is not None else ""
    return f"{humanise.duration(seconds)}{objective}"


def _measured(kept: Row) -> str:
    """What the heartbeat told, beside the age of the set."""
    lost = number(kept, "lost_seconds")
    if lost is None or text(kept, "rpo_evidence") != "heartbeat":
        return ""
    return f"; by the heartbeat row {humanise.duration(round(lost, 3))} were lost"


def _phases(kept: Row) -> str:
    phases = kept.get("phases")
    pairs = [(str(name), float(str(seconds))) for name, seconds in phases] if isinstance(phases, list) else []
    return ", ".join(f"{name} {humanise.duration(seconds)}" for name, seconds in pairs if name != "prepare")


def _texts(row: Row, name: str) -> list[str]:
    found = row.get(name)
    return [str(each) for each in found] if isinstance(found, list) else []
