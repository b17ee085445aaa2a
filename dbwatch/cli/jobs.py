"""`jobs`: what is to run, what ran, what runs."""

from __future__ import annotations

import asyncio
import json
import shutil
from typing import TYPE_CHECKING

from dbwatch.cli.job_progress import how_far
from dbwatch.cli.maintenance import account
from dbwatch.cli.reaching import mapping, mappings, number, reached, since, text
from dbwatch.core.showing import humanise
from dbwatch.core.showing.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLUMNS = ("job", "instance", "schedule", "next", "last", "took", "state", "why")
NONE = "no instance has a section `backups`: see config/postgres.yml of `dbwatch init`"
BY_ORDER = "by order only"
RUNNING = "running"


def listed(config: Path, *, as_json: bool) -> list[str]:
    """Every job: when it rang and will ring, how it ended, how far it is."""
    answer = asyncio.run(_asked(config, "jobs_list", {}))
    if as_json:
        return [json.dumps(answer, indent=2, ensure_ascii=False)]
    rows = [_row(each) for each in mappings(answer)]
    return table(COLUMNS, rows, shutil.get_terminal_size((160, 24)).columns, right=("took",)) if rows else [NONE]


def cancel(config: Path, job: str) -> str:
    """Raise UsageError or ControlError where it is not under way."""
    run = mapping(asyncio.run(_asked(config, "job_cancel", {"id": job, "who": account()})))
    return f"{text(run, 'kind')} of {text(run, 'instance')} is being cancelled: {text(run, 'id')}"


async def _asked(config: Path, command: str, arguments: Mapping[str, object]) -> object:
    async with reached(config) as office:
        return await office.ask(command, arguments)


def _row(job: Mapping[str, object]) -> list[str]:
    running, last = mapping(job.get("running")), mapping(job.get("last"))
    named = [text(job, "kind"), text(job, "instance"), _schedule(job), _next(job)]
    if running:
        took = humanise.duration(round(number(running, "elapsed_seconds") or 0.0))
        return [*named, "now", took, f"{RUNNING}: {text(running, 'phase')}", _way(running)]
    if not last:
        return [*named, "never", "", "", ""]
    return [*named, _ago(last), _took(last), text(last, "state"), _why(last)]


def _schedule(job: Mapping[str, object]) -> str:
    schedule, zone = text(job, "schedule"), text(job, "timezone")
    return f"{schedule} {zone}".strip() if schedule else BY_ORDER


def _next(job: Mapping[str, object]) -> str:
    moment = number(job, "next_at")
    return "" if moment is None else humanise.moment(moment).replace(":00 UTC", " UTC")


def _ago(last: Mapping[str, object]) -> str:
    return f"{humanise.duration(round(since(number(last, 'started_at') or 0.0)))} ago"


def _took(last: Mapping[str, object]) -> str:
    seconds = number(last, "seconds")
    return "" if seconds is None else humanise.duration(seconds)


def _why(last: Mapping[str, object]) -> str:
    reason, detail = text(last, "reason"), text(last, "detail")
    return f"{reason}: {detail}" if reason else detail


def _way(running: Mapping[str, object]) -> str:
    return f"{text(running, 'id')} {how_far(running)}".strip()
