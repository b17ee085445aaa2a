"""Letters that leave at once, without daemon and outbox: a test, and the daemon's own end."""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbwatch import mailer
from dbwatch.core.alerting.model import Letter, LetterKind, fingerprint, pairs
from dbwatch.errors import ConfigError, DbwatchError, UsageError
from dbwatch.settings.alerting import ADDRESS
from dbwatch.settings.load import examine, in_reading_order, load

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dbwatch.mailer.delivery import Report
    from dbwatch.settings.models import Settings

UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]{1,200}")
SHOWN = {
    "Result": "result",
    "ExecMainStatus": "exit_code",
    "InactiveEnterTimestamp": "ended_at",
    "NRestarts": "restarts",
}
SYSTEMCTL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One letter and what became of it."""

    recipients: tuple[str, ...]
    report: Report
    message: bytes

    def lines(self) -> list[str]:
        """Of a relay that another one stood in for too: it would be missed in the night."""
        refused = self.report.refused
        taken = [f"{each}: accepted by {self.report.relay}" for each in self.recipients if each not in refused]
        passed = [(why.relay, why.error) for each, why in self.report.problems if each not in refused]
        beside = [f"{relay} did not take it: {error}" for relay, error in dict.fromkeys(passed)]
        problems = [(each, why) for each, why in self.report.problems if each in refused] or refused.items()
        return taken + beside + [f"{each}: NOT accepted: {why.relay}: {why.error}" for each, why in problems]


def test(config: Path, to: str | None) -> list[str]:
    """One letter to each audience of the routes, or to one address. Raise DbwatchError where one was not accepted."""
    settings = load(config, os.environ)
    if to is not None and ADDRESS.fullmatch(to) is None:
        raise UsageError(f"--to: {to!r} is no mail address")
    audiences = [((to,), settings.alerting.language)] if to is not None else _audiences(settings)
    sent = asyncio.run(_sent(settings, [_letter(LetterKind.TEST, *each) for each in audiences]))
    lines = [line for each in sent for line in each.lines()]
    if any(each.report.refused for each in sent):
        raise DbwatchError("\n".join(["not every letter was accepted:", *lines]))
    return lines


def failed(config: Path, unit: str) -> list[str]:
    """Tell that a unit of systemd ended. What no relay takes is kept in state_directory. Raise DbwatchError then."""
    if not UNIT.fullmatch(unit):
        raise UsageError(f"{unit!r} is no unit of systemd")
    settings = _whatever_can_be_read(config)
    facts = {"unit": unit, **asyncio.run(_state_of(unit))}
    letters = [_letter(LetterKind.FAILURE, *each, facts) for each in _audiences(settings)]
    sent = asyncio.run(_sent(settings, letters))
    kept = [_kept(settings.state_directory, each) for each in sent if each.report.refused]
    if kept:
        lines = [line for each in sent for line in each.lines()]
        raise DbwatchError("\n".join([*lines, *(f"the letter was kept in {path}" for path in kept)]))
    return [line for each in sent for line in each.lines()]


def _whatever_can_be_read(config: Path) -> Settings:
    """A fault in the configuration may be why the daemon ended, and must not silence the letter that tells of it.

    Raise ConfigError where it leaves nobody to tell, or no way to.
    """
    found = examine(config, os.environ)
    if found.faults and not (found.settings.mail.relays and _audiences(found.settings)):
        raise ConfigError(in_reading_order(found.faults))
    return _with_templates_that_work(found.settings)


def _with_templates_that_work(settings: Settings) -> Settings:
    """Those that ship, where the operator's own are broken."""
    try:
        mailer.composer(settings.mail, settings.alerting)
    except ConfigError:
        shipped = settings.alerting.model_copy(update={"templates_dir": None})
        return settings.model_copy(update={"alerting": shipped})
    return settings


def _audiences(settings: Settings) -> list[tuple[tuple[str, ...], str]]:
    """Who gets letters, each once."""
    mail, language = settings.mail, settings.alerting.language
    found = [(route.to, route.language or language) for route in mail.routes]
    return list(dict.fromkeys([*([(mail.to, language)] if mail.to else []), *found]))


def _letter(
    kind: LetterKind, recipients: tuple[str, ...], language: str, facts: dict[str, str] | None = None
) -> Letter:
    now = time.time()
    thread = fingerprint(pairs({"kind": kind, "at": str(now), "to": ",".join(recipients), "language": language}))
    return Letter(kind, thread, 0, recipients, language, now, facts=pairs(facts or {}))


async def _sent(settings: Settings, letters: Iterable[Letter]) -> list[Sent]:
    if not settings.mail.relays:
        raise UsageError("no relay is configured: name one under mail.relays")
    chosen = list(letters)
    if not chosen:
        raise UsageError("nobody to send it to: name somebody under mail.to, or use --to")
    composer = mailer.composer(settings.mail, settings.alerting)
    courier = mailer.courier(settings.mail)
    try:
        composed = [composer.compose(each) for each in chosen]
        return [
            Sent(each.letter.recipients, await courier.deliver(each.letter.recipients, each.message), each.message)
            for each in composed
        ]
    finally:
        await courier.close()


async def _state_of(unit: str) -> dict[str, str]:
    """What systemd says of it; without its log, which may hold anything."""
    asked = ("systemctl", "show", unit, "--property", ",".join(SHOWN))
    try:
        process = await asyncio.create_subprocess_exec(
            *asked, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return {}
    try:
        async with asyncio.timeout(SYSTEMCTL_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return {}
    told = dict(line.partition("=")[::2] for line in output.decode(errors="replace").splitlines())
    return {name: told[key] for key, name in SHOWN.items() if told.get(key)}


def _kept(directory: Path, sent: Sent) -> Path:
    """As a file that any mail program opens. Raise DbwatchError where it cannot be written."""
    path = directory / f"unsent-{time.time_ns()}.eml"
    try:
        path.touch(mode=0o640)
        path.write_bytes(sent.message)
    except OSError as error:
        raise DbwatchError(f"the letter could not be sent, nor kept in {directory}: {error.strerror}") from None
    return path
