"""What the demonstration promises: a session is blocked, the page tells it, and a mail comes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.fix_daemon import dbwatch_command
from tests.fix_process import environment, eventually
from tests.patience import ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.engine, pytest.mark.slow]

START_SECONDS, TOLD_SECONDS, STOP_SECONDS = 150.0, 180.0, 60.0  # far more than a quiet machine needs
MAIL = re.compile(r'<a href="(/mails/\d+)">')


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Path]:
    """What a running demonstration prints."""
    path = tmp_path / "told"
    command = [*dbwatch_command(), "demo", "--scale", "0.1"]
    with path.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment())
    try:
        yield path
    finally:
        process.send_signal(signal.SIGINT)
        ended(process, STOP_SECONDS)


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=120) as answer:
        return str(answer.read().decode())


def firing(page: str) -> list[str]:
    answer = json.loads(fetch(f"{page}api/v1/alerts?state=firing&instance=marseille-postgres"))
    return [each["name"] for each in answer["alerts"]]


def test_a_blocked_session_becomes_an_alert_and_a_mail(told: Path) -> None:
    def address(name: str) -> str:
        found = re.search(rf"^{name}: +(http[^ ]+/)", told.read_text(), re.MULTILINE)
        return found[1] if found else ""

    def mails() -> list[str]:
        return [fetch(address("mails").rstrip("/") + path) for path in MAIL.findall(fetch(address("mails")))]

    page = eventually(lambda: address("page"), timeout_seconds=START_SECONDS, every_seconds=0.2)
    eventually(lambda: "BlockedTooLong" in firing(page), timeout_seconds=TOLD_SECONDS, every_seconds=0.5)
    assert "BlockedTooLong" in fetch(page)
    eventually(
        lambda: [mail for mail in mails() if "BlockedTooLong" in mail and "marseille-postgres" in mail],
        timeout_seconds=TOLD_SECONDS,
        every_seconds=0.5,
    )
