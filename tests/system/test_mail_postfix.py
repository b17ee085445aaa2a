"""The mail server that most town halls have: a real Postfix takes our letters over STARTTLS, or says why not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.fix_postfix import KNOWN, postfix
from tests.system.test_mail_commands import dbwatch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system


def configured(directory: Path, port: int, ca_file: Path) -> Path:
    path = directory / "dbwatch.yml"
    relay = {"host": "localhost", "port": port, "security": "starttls", "ca_file": str(ca_file)}
    settings = {
        "state_directory": str(directory / "state"),
        "control_socket": str(directory / "control.sock"),
        "alerting": {"notify": "direct"},
        "mail": {"from": "Veille des bases <dbwatch@marseille.example>", "to": [KNOWN], "relays": [relay]},
    }
    path.write_text(yaml.safe_dump(settings))
    return path


def test_postfix_delivers_a_letter_as_it_was_written_and_refuses_whom_it_does_not_know(tmp_path: Path) -> None:
    with postfix() as server:
        config = configured(tmp_path, server.port, server.ca_file)
        taken = asyncio.run(dbwatch(config, "mail", "test"))
        unknown = asyncio.run(dbwatch(config, "mail", "test", "--to", "personne@marseille.example"))
        foreign = asyncio.run(dbwatch(config, "mail", "test", "--to", "dsi@elsewhere.example"))
        (mail,) = server.mails(1)
        log = server.log()

    assert (0, "") == (taken[0], taken[2])
    assert (1, 1) == (unknown[0], foreign[0])
    assert "550" in unknown[2]
    assert "554" in foreign[2]
    assert "with ESMTPS" in str(mail["Received"])
    assert "auto-generated" == mail["Auto-Submitted"]
    assert KNOWN == mail["To"]
    assert {"text/plain", "text/html"} <= {part.get_content_type() for part in mail.walk()}
    assert "\ufffd" not in str(mail["Subject"]) + str(mail.get_body(("plain",)))
    assert "bounced" not in log
