"""`dbwatch mail` and `dbwatch alerts`, as a person or systemd runs them: without a daemon."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest
import yaml

from dbwatch import history
from dbwatch.history import Record
from tests.alerting_words import alert
from tests.fix_process import free_port
from tests.fix_smtp import Script, smtp_server

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system


def configured(directory: Path, port: int) -> Path:
    path = directory / "dbwatch.yml"
    settings = {
        "state_directory": str(directory / "state"),
        "control_socket": str(directory / "control.sock"),
        "alerting": {"notify": "direct"},
        "instances": {"pg-etatcivil": {"engine": "postgres", "monitor": {"user": "dbwatch"}}},
        "mail": {
            "from": "dbwatch@marseille.example",
            "to": ["astreinte@marseille.example"],
            "relays": [{"host": "127.0.0.1", "port": port, "security": "none"}],
            "routes": [{"match": {"team": "dsi"}, "to": "dsi@marseille.example", "language": "en"}],
        },
    }
    path.write_text(yaml.safe_dump(settings))
    return path


async def dbwatch(config: Path, *words: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dbwatch", *words, "-c", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_a_test_letter_goes_to_every_audience_and_says_who_took_it(tmp_path: Path) -> None:
    script = Script()
    async with smtp_server(script) as port:
        code, out, err = await dbwatch(configured(tmp_path, port), "mail", "test")

    assert (0, "") == (code, err)
    took = f"accepted by 127.0.0.1:{port}"
    assert [f"astreinte@marseille.example: {took}", f"dsi@marseille.example: {took}"] == out.splitlines()
    assert ["fr", "en"] == [each["Content-Language"] for each in script.messages]


async def test_a_test_letter_that_nobody_takes_is_told_in_lines(tmp_path: Path) -> None:
    script = Script(recipients={"x@marseille.example": "550 unknown"})
    async with smtp_server(script) as port:
        code, _, err = await dbwatch(configured(tmp_path, port), "mail", "test", "--to", "x@marseille.example")

    assert 1 == code
    assert f"x@marseille.example: NOT accepted: 127.0.0.1:{port}: 550 unknown" in err
    assert "Traceback" not in err


async def test_the_daemons_end_is_mailed_without_it_and_kept_where_no_relay_answers(tmp_path: Path) -> None:
    script = Script()
    async with smtp_server(script) as port:
        code, _, _ = await dbwatch(configured(tmp_path, port), "mail", "failed", "dbwatch.service")
    assert 0 == code
    assert "dbwatch.service s\u2019est arrêté" in script.messages[0]["Subject"]

    (tmp_path / "state").mkdir(exist_ok=True)
    code, _, err = await dbwatch(configured(tmp_path, free_port()), "mail", "failed", "dbwatch.service")
    kept = sorted((tmp_path / "state").glob("unsent-*.eml"))
    assert (1, 2) == (code, len(kept))
    assert str(kept[0]) in err
    assert "failure" == message_from_bytes(kept[0].read_bytes(), policy=policy.default)["X-Dbwatch-Kind"]
    assert 0 == kept[0].stat().st_mode & 0o007


async def test_a_fault_in_the_configuration_does_not_silence_the_letter_that_the_daemon_ended(tmp_path: Path) -> None:
    """It may be the very reason: the daemon does not start with it."""
    script = Script()
    async with smtp_server(script) as port:
        config = configured(tmp_path, port)
        (tmp_path / "fr").mkdir()
        (tmp_path / "fr" / "failure.txt").write_text("{% if %}")
        broken = config.read_text().replace("engine: postgres", "engine: postgres\n    port: x\n    no_such_key: 1")
        config.write_text(broken.replace("notify: direct", f"notify: direct\n  templates_dir: {tmp_path}"))
        config.write_text(f"{config.read_text()}no_such_section: {{}}\n")
        code, _, err = await dbwatch(config, "mail", "failed", "dbwatch.service")
    assert (0, "") == (code, err)
    assert "astreinte@marseille.example" in script.messages[0]["To"]

    config.write_text("mail: {to: nobody}\n")
    code, _, err = await dbwatch(config, "mail", "failed", "dbwatch.service")
    assert 1 == code
    assert "mail.to.0: is no mail address" in err


async def test_alerts_are_listed_acknowledged_and_silenced_without_a_daemon(tmp_path: Path) -> None:
    config = configured(tmp_path, free_port())
    async with history.opened(tmp_path / "state") as past:
        firing = alert()
        await past.alerts.commit(Record(time.time(), {firing.fingerprint: firing}, {}))
    mark = firing.fingerprint[:8]

    _, acknowledged, _ = await dbwatch(config, "alerts", "ack", mark, "--reason", "on it")
    _, silenced, _ = await dbwatch(
        config, "alerts", "silence", "InstanceDown", "--for", "2h", "--instance", "pg-etatcivil"
    )
    _, listed, _ = await dbwatch(config, "alerts", "list")
    _, told, _ = await dbwatch(config, "alerts", "history", "--since", "30d")
    code, _, refused = await dbwatch(config, "alerts", "ack", "InstanceDown", "pg9")

    nobody = f"no dbwatch answers on {tmp_path}/control.sock: this is"
    later = f"{nobody} kept for it, and counts once it runs"
    assert [later, f"acknowledged until it resolves: {mark} InstanceDown pg-etatcivil"] == acknowledged.splitlines()
    first, second = silenced.splitlines()
    assert later == first
    assert second.startswith("silence 1: nobody is told of alertname=InstanceDown, db_instance=pg-etatcivil until ")
    assert listed.startswith(f"{nobody} what it knew ")
    assert all(each in listed for each in (mark, "critical", "firing", "acknowledged by", ": on it", "SILENCE"))
    assert all(each in told for each in ("silenced", "acknowledged", "on it"))
    assert 2 == code
    assert f"no alert InstanceDown of pg9 fires; firing:\n  {mark}  InstanceDown pg-etatcivil" in refused


async def test_every_relays_error_is_told_with_its_remedy(tmp_path: Path) -> None:
    config = configured(tmp_path, free_port())
    settings = yaml.safe_load(config.read_text())
    closed = f"127.0.0.1:{free_port()}"
    async with smtp_server(Script()) as port:
        relay = {"host": "127.0.0.1", "port": port}
        settings["mail"]["relays"] = [
            {"host": "127.0.0.1", "port": int(closed.rpartition(":")[2]), "security": "none"},
            {**relay, "security": "tls"},
            {**relay, "security": "starttls"},
        ]
        config.write_text(yaml.safe_dump(settings))
        code, _, err = await dbwatch(config, "mail", "test", "--to", "x@marseille.example")
        settings["mail"]["relays"].append({**relay, "security": "none"})
        config.write_text(yaml.safe_dump(settings))
        _, out, _ = await dbwatch(config, "mail", "test", "--to", "x@marseille.example")
    empty, _, refused = await dbwatch(config, "mail", "test", "--to", "")

    assert 1 == code
    assert f"x@marseille.example: NOT accepted: {closed}: connection refused" in err
    assert "security: starttls or none" in err
    assert "offers no STARTTLS: set security: none" in err
    assert f"x@marseille.example: accepted by 127.0.0.1:{port}" in out
    assert f"{closed} did not take it: connection refused" in out
    assert (2, True) == (empty, "--to: '' is no mail address" in refused)
