"""`backup`: take one now, see what there is, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from typing import TYPE_CHECKING

from dbwatch.cli.job_progress import display, follow
from dbwatch.cli.maintenance import account
from dbwatch.cli.reaching import mapping, mappings, number, reached, text
from dbwatch.core.showing import humanise
from dbwatch.core.showing.tables import table
from dbwatch.errors import ControlError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from dbwatch.cli.reaching import Reached

    Row = Mapping[str, object]

SETS = ("id", "instance", "databases", "began", "took", "size", "proof", "notes")
DECISIONS = ("id", "instance", "time", "proof", "action", "reason")
NO_SETS = "no backup is there yet"
GONE = (
    "{why}; how job {job} ended is not known: it ends with the daemon, and nothing but a whole backup is published "
    "-> when the daemon runs again, `dbwatch jobs` tells"
)
SHOWN_DATABASES = 3
SHORTEST_SECONDS = 0.1  # of a phase that is worth a word
SUCCEEDED = "succeeded"
FAILED, INTERRUPTED = 1, 130


def run(config: Path, instance: str) -> int:
    """Take one now: 0 where it succeeded with every proof that was due.

    Ctrl-C leaves it to the daemon, or cancels it where we run it ourselves.
    """
    return watched(config, "backup_start", {"instance": instance, "who": account()})


def verify(config: Path, backup_id: str) -> int:
    """Restore and compare one again: 0 where it is proven."""
    return watched(config, "backup_verify", {"id": backup_id, "who": account()})


def watched(config: Path, command: str, arguments: Row) -> int:
    """Start a job, show how far it is, and tell what came of it."""
    begun: list[tuple[str, bool]] = []
    try:
        return asyncio.run(_watched(config, command, arguments, begun))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\n".join(_interrupted(begun)))
        return INTERRUPTED


async def _watched(config: Path, command: str, arguments: Row, begun: list[tuple[str, bool]]) -> int:
    async with reached(config) as office:
        if not office.is_daemon:
            cancel_at_sigterm()
        asked = mapping(await office.ask(command, arguments))
        begun.append((text(asked, "id"), office.is_daemon))
        status = await followed(office, text(asked, "id"))
        sets = await _sets(office, text(status, "instance"))
        made = [each for each in sets if text(each, "id") == text(status, "backup")]
        print("\n".join(outcome(status, made)))
    return code(status, made)


def code(status: Row, made: Iterable[Row]) -> int:
    """1 where it failed, and where the proof that was due could not be had: one that waits is none."""
    is_proven = text(status, "state") == SUCCEEDED and not any(text(each, "not_proven") for each in made)
    return 0 if is_proven else FAILED


async def followed(office: Reached, job: str) -> Row:
    async def ask() -> Row:
        try:
            return mapping(await office.ask("job_status", {"id": job}))
        except RefusedError:
            raise
        except ControlError as error:
            raise ControlError(GONE.format(job=job, why=error)) from None

    with display() as shown:
        return await follow(ask, shown)


def cancel_at_sigterm() -> None:
    """What we run ourselves is tidied up like at Ctrl-C."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _interrupted(begun: Sequence[tuple[str, bool]]) -> list[str]:
    if not begun:
        return []
    job, is_daemon = begun[0]
    if is_daemon:
        return [f"the daemon goes on with it; to end it: dbwatch jobs cancel {job}"]
    kept = "nothing of it was kept unless it was published already (`dbwatch backup list` tells)"
    return [f"cancelled: {kept}; earlier backups are as they were"]


def outcome(status: Row, made: Iterable[Row]) -> list[str]:
    """What came of it: its proof, its phases, and each warning."""
    instance, state, detail = text(status, "instance"), text(status, "state"), text(status, "detail")
    if state != SUCCEEDED:
        return [f"{text(status, 'kind')} of {instance} {state} ({text(status, 'reason')}): {detail}"]
    lines = [f"backup {text(status, 'backup')} of {instance}: {detail}", f"  {_took(status)}"]
    for each in made:
        lines[1] += f", {humanise.size(number(each, 'size_bytes') or 0.0)}"
        told = text(each, "not_proven")  # in the first line already
        lines += [f"  warning: {warning}" for warning in _texts(each, "warnings") if warning != told]
    return lines


def _took(status: Row) -> str:
    phases = status.get("phases")
    each = [f"{name} {humanise.duration(round(float(str(seconds)), 1))}" for name, seconds in _pairs(phases)]
    total = humanise.duration(number(status, "seconds") or 0.0)
    return f"took {total} ({', '.join(each)})" if each else f"took {total}"


def _pairs(phases: object) -> list[tuple[object, object]]:
    found = phases if isinstance(phases, list) else []
    return [(name, seconds) for name, seconds in found if float(str(seconds)) >= SHORTEST_SECONDS]


def listed(config: Path, instance: str, *, as_json: bool) -> list[str]:
    """The sets, the newest first, each with what is proven of it, and what can be had back from the trash."""
    answer = mapping(asyncio.run(_with(config, lambda office: _with_trash(office, instance))))
    told = set_lines(mappings(answer["sets"]), as_json=as_json)
    return told if as_json else [*told, *trash_lines(mapping(answer["trash"]), instance)]


async def _with_trash(office: Reached, instance: str) -> object:
    return {"sets": await _sets(office, instance), "trash": await office.ask("backup_trash", {})}


def _whole_name(each: Row) -> str:
    return f"{text(each, 'instance')}/{text(each, 'id')}"


def trash_lines(trash: Row, instance: str) -> list[str]:
    """What retention let go, a line each; a pin brings it back."""
    problem = text(trash, "problem")
    told = [f"what is in the trash cannot be told: {problem}"] if problem else []
    mine = [each for each in mappings(trash.get("sets")) if instance in ("", text(each, "instance"))]
    for each in sorted(mine, key=lambda each: text(each, "id"), reverse=True):
        until = number(each, "until")
        fate = f", for good after {humanise.moment(until)}" if until is not None else ""
        name = f"{text(each, 'id')} of {text(each, 'instance')}"
        told.append(f"in the trash: {name}{fate} -> `dbwatch backup pin {_whole_name(each)}` brings it back")
    return told


def set_lines(sets: Sequence[Row], *, as_json: bool) -> list[str]:
    """Sets as `backup_list` tells them; what is wrong with one stands whole below, where no column cuts it."""
    if as_json:
        return [json.dumps(sets, indent=2, ensure_ascii=False)]
    if not sets:
        return [NO_SETS]
    problems = [f"{_whole_name(each)}: {text(each, 'problem')}" for each in sets if text(each, "problem")]
    return [*table(SETS, [_set(each) for each in sets], _width(), right=("took", "size")), *problems]


def rescan(config: Path, instance: str) -> list[str]:
    """Make the index anew from the manifests; what it had wrong, a line each."""
    answer = mapping(asyncio.run(_with(config, lambda office: office.ask("backup_rescan", {"instance": instance}))))
    return _texts(answer, "differences") or ["the index agrees with the manifests"]


def retention(config: Path, instance: str, *, dry_run: bool, as_json: bool) -> list[str]:
    """Each set with what becomes of it and why; carried out unless it is a dry run."""
    arguments = {"instance": instance, "dry_run": dry_run}
    answer = mappings(asyncio.run(_with(config, lambda office: office.ask("backup_retention", arguments))))
    if as_json:
        return [json.dumps(answer, indent=2, ensure_ascii=False)]
    decisions = [_decision(plan, each) for plan in answer for each in mappings(plan.get("decisions"))]
    if not decisions:
        return [NO_SETS]
    told = [*_zones(answer), *_frozen(answer), _carried_out(decisions, dry_run=dry_run)]
    return [*table(DECISIONS, decisions, _width()), *told]


def pin(config: Path, backup: str, *, pinned: bool) -> str:
    """Raise UsageError or ControlError where there is none."""
    arguments = {"id": backup, "pinned": pinned, "who": account()}
    found = mapping(asyncio.run(_with(config, lambda office: office.ask("backup_pin", arguments))))
    fate = "stays until it is unpinned" if pinned else "is retention's again"
    return f"backup {text(found, 'id')} of {text(found, 'instance')} {fate}"


def trust_clock(config: Path) -> str:
    """Retention goes on after the clock jumped."""
    answer = mapping(asyncio.run(_with(config, lambda office: office.ask("backup_trust_clock", {}))))
    return f"retention trusts the clock again: it is {humanise.moment(number(answer, 'time') or 0.0)}"


async def _with(config: Path, ask: Callable[[Reached], Awaitable[object]]) -> object:
    async with reached(config) as office:
        return await ask(office)


async def _sets(office: Reached, instance: str) -> list[Row]:
    found = mappings(await office.ask("backup_list", {"instance": instance}))
    return sorted(found, key=lambda each: number(each, "started_at") or 0.0, reverse=True)


def _set(each: Row) -> list[str]:
    return [
        text(each, "id"),
        text(each, "instance"),
        _databases(_texts(each, "databases")),
        humanise.moment(number(each, "started_at") or 0.0),
        humanise.duration(number(each, "seconds") or 0.0),
        humanise.size(number(each, "size_bytes") or 0.0),
        "bad" if each.get("bad") is True else text(each, "proof") or "none",
        _notes(each),
    ]


def _databases(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_DATABASES
    return ", ".join(names[:SHOWN_DATABASES]) + (f" and {more} more" if more > 0 else "")


def _notes(each: Row) -> str:
    pinned = ["pinned"] if each.get("pinned") is True else []
    return "; ".join([*pinned, *_texts(each, "warnings")])


def _decision(plan: Row, each: Row) -> list[str]:
    return [
        text(each, "id"),
        text(plan, "instance"),
        text(each, "time"),
        text(each, "level"),
        text(each, "action"),
        text(each, "reason"),
    ]


def _zones(plans: Iterable[Row]) -> list[str]:
    """Times are UTC in every list; a policy counts days of its own."""
    others = sorted({zone for plan in plans if (zone := text(plan, "timezone")) not in ("", "UTC")})
    return [f"times are UTC; days, weeks, months and years are counted in {', '.join(others)}"] if others else []


def _frozen(plans: Iterable[Row]) -> list[str]:
    return [
        f"{text(plan, 'instance')}: nothing is deleted ({text(each, 'reason')}): {text(each, 'detail')}"
        for plan in plans
        for each in mappings(plan.get("frozen"))
    ]


def _carried_out(decisions: Sequence[Sequence[str]], *, dry_run: bool) -> str:
    going = sum(row[DECISIONS.index("action")] == "delete" for row in decisions)
    if not going:
        return "nothing is to be deleted"
    word = "would go" if dry_run else "went"
    return f"{going} of {len(decisions)} {word} into the trash"


def _texts(row: Row, name: str) -> list[str]:
    found = row.get(name)
    return [str(each) for each in found] if isinstance(found, list) else []


def _width() -> int:
    return shutil.get_terminal_size((200, 24)).columns
